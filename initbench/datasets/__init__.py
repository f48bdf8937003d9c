"""Data sets: a name or a user's file -> train and test arrays."""

from initbench.datasets.loading import constant_loss, fingerprint, load, metrics
from initbench.datasets.preparation import Dataset

__all__ = ["Dataset", "constant_loss", "fingerprint", "load", "metrics"]
