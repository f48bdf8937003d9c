"""The engine: the seam in :mod:`.protocol`, and its NumPy implementation."""
