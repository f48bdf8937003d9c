"""The kinds of pictures that people may ask for. The command line knows them without NumPy."""

from __future__ import annotations

#: What each kind of picture shows.
KINDS = {
    "curves": "a metric at each log point, median and middle half of the seeds",
    "seeds": "each run's final metric, the runs of a seed joined by a line",
    "forest": "differences to the best row, with their intervals",
    "profile": "the share of runs that have learned, at each log point",
    "layers": "signal and gradient in each layer, measured and predicted",
    "boundary": "the class that a network gives to each place of the plane",
    "activations": "histograms of the hidden layers' activations while training",
    "sensitivity": "the metric at each value of a sweep",
}
#: The files that a picture is drawn into, by their ending.
FORMS = ("svg", "png", "pdf")
