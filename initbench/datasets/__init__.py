"""Data sets: a name or a user's file -> train and test arrays."""

from initbench.datasets.loading import Dataset, constant_loss, fingerprint, load, metrics

__all__ = ["Dataset", "constant_loss", "fingerprint", "load", "metrics"]
