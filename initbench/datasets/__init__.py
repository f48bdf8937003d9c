"""Data sets: a config's ``dataset`` -> train and test arrays. The only wing that reads data."""

from initbench.datasets.loading import constant_loss, fingerprint, load, metrics, pinned
from initbench.datasets.preparation import Dataset

__all__ = ["Dataset", "constant_loss", "fingerprint", "load", "metrics", "pinned"]
