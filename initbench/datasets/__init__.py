"""Data sets: a config's ``dataset`` -> train and test arrays. The only wing that reads data."""

from initbench.datasets.loading import constant_loss, fingerprint, load, metrics, pinned, size
from initbench.datasets.preparation import Dataset, DataSize

__all__ = [
    "DataSize", "Dataset", "constant_loss", "fingerprint", "load", "metrics", "pinned", "size",
]  # fmt: skip
