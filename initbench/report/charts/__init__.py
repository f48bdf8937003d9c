"""Pictures -> charts, one definition each, in Vega-Lite by way of Altair.

A chart draws the numbers of its :class:`~initbench.report.views.pictures.Picture` and computes
none. The page, the files of `initbench plot` and notebooks all show these charts. The package needs
Altair, and is imported only where charts are asked for.
"""
