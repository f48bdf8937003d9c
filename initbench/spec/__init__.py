"""The models of a config: every key with its bounds and default, declared once."""

from initbench.spec.biases import BIAS_MODELS
from initbench.spec.datasets import DATASET_MODELS, CirclesDataset, FileDataset
from initbench.spec.experiment import (
    ACTIVATION_MODELS,
    MAX_RUNS,
    MAX_SEEDS,
    OPTIMIZER_MODELS,
    RESERVED_NAMES,
    Experiment,
    stated_seeds,
    with_initializers,
)
from initbench.spec.initializers import INITIALIZER_MODELS, InitializerChoice
from initbench.spec.schema import json_schema

__all__ = [
    "ACTIVATION_MODELS",
    "BIAS_MODELS",
    "DATASET_MODELS",
    "INITIALIZER_MODELS",
    "MAX_RUNS",
    "MAX_SEEDS",
    "OPTIMIZER_MODELS",
    "RESERVED_NAMES",
    "CirclesDataset",
    "Experiment",
    "FileDataset",
    "InitializerChoice",
    "json_schema",
    "stated_seeds",
    "with_initializers",
]
