"""The models of a config's ``dataset``: every data set with its parameters, bounds and defaults."""

from __future__ import annotations

from typing import Annotated, Literal

from annotated_types import Ge, Gt, Le, Lt, MinLen

from initbench.spec.choice import Choice
from initbench.spec.fields import NonNegative, Positive, Seed

MAX_SAMPLES = 10_000_000

Samples = Annotated[int, Ge(2), Le(MAX_SAMPLES)]


class GeneratedDataset(Choice):
    """A synthetic data set: train and test samples drawn at two states."""

    train_samples: Samples = 300
    test_samples: Samples = 100
    train_random_state: Seed = 1
    test_random_state: Seed = 2


class CirclesDataset(GeneratedDataset):
    """Two concentric circles (scikit-learn's make_circles); the defaults are the article's."""

    name: Literal["circles"] = "circles"
    noise: NonNegative = 0.05
    factor: Annotated[float, Ge(0), Lt(1)] = 0.8


class MoonsDataset(GeneratedDataset):
    """Two interleaved half circles (scikit-learn's make_moons)."""

    name: Literal["moons"] = "moons"
    noise: NonNegative = 0.1


class SpiralsDataset(GeneratedDataset):
    """One spiral arm a class: angle grows with radius, plus Gaussian noise."""

    name: Literal["spirals"] = "spirals"
    classes: Annotated[int, Ge(2), Le(100)] = 2
    turns: Positive = 1.0
    noise: NonNegative = 0.02


class BlobsDataset(Choice):
    """Gaussian blobs (scikit-learn's make_blobs), one draw cut in two so that centers agree."""

    name: Literal["blobs"] = "blobs"
    train_samples: Samples = 300
    test_samples: Samples = 100
    centers: Annotated[int, Ge(2), Le(1000)] = 3
    features: Annotated[int, Ge(1), Le(10_000)] = 2
    cluster_std: NonNegative = 1.0
    random_state: Seed = 0


class MeasuredDataset(Choice):
    """A real data set: split by a stated seed (stratified by class), standardised on train."""

    test_fraction: Annotated[float, Gt(0), Lt(1)] = 0.25
    split_random_state: Seed = 0
    standardize: Literal["features", "global", "none"] = "features"


class DigitsDataset(MeasuredDataset):
    """1,797 handwritten digits, 8 x 8 pixels, 10 classes (scikit-learn's load_digits)."""

    name: Literal["digits"] = "digits"


class BreastCancerDataset(MeasuredDataset):
    """569 tumours, 30 features, 2 classes (scikit-learn's load_breast_cancer)."""

    name: Literal["breast_cancer"] = "breast_cancer"


class WineDataset(MeasuredDataset):
    """178 wines, 13 features, 3 classes (scikit-learn's load_wine)."""

    name: Literal["wine"] = "wine"


class IrisDataset(MeasuredDataset):
    """150 irises, 4 features, 3 classes (scikit-learn's load_iris)."""

    name: Literal["iris"] = "iris"


class DiabetesDataset(MeasuredDataset):
    """442 patients, 10 features, a regression; its target is standardised on train too."""

    name: Literal["diabetes"] = "diabetes"


class FileDataset(MeasuredDataset):
    """Your own data: a CSV file with a header, or an NPZ file; ``target`` names the column.

    In an NPZ file ``target`` names an array, and all others are features. A path is relative
    to the config's folder. A target of texts, or of at most 20 distinct whole numbers, makes a
    classification, any other a regression; ``task`` says otherwise.
    """

    name: Literal["file"] = "file"
    path: Annotated[str, MinLen(1)]
    target: Annotated[str, MinLen(1)]
    task: Literal["auto", "classification", "regression"] = "auto"


DATASET_MODELS: dict[str, type[Choice]] = {
    model.model_fields["name"].default: model
    for model in (
        CirclesDataset,
        MoonsDataset,
        BlobsDataset,
        SpiralsDataset,
        DigitsDataset,
        BreastCancerDataset,
        WineDataset,
        IrisDataset,
        DiabetesDataset,
        FileDataset,
    )
}
