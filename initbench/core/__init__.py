"""The numerics. This wing uses NumPy and SciPy only: no file, no clock, no printing.

Shapes are written in the letters of this legend everywhere:

====== =====================================================================
letter axis
====== =====================================================================
R      runs: the (initializer, seed) pairs that train together as one stack
B      samples of a batch (features stand before samples, everywhere)
I      inputs of a layer, its fan_in
O      outputs of a layer, its fan_out
P      parameters of one network, all layers in one row
N      samples of a data split
====== =====================================================================

A layer's weights are (O, I), as in PyTorch; a stack's are (R, O, I).

Caching, resuming and replaying rest on two rules, which every change must keep. Every product is
a per-run slice of ``np.matmul``, and no reduction crosses runs. Therefore the record of a run is
the same to the last bit alone, in a stack of 64, in any worker and in any order.
"""

#: The revision is part of every run's identity. Raise it when a change moves the numbers of runs.
ENGINE_REVISION = 1
