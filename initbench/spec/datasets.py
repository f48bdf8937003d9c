"""The models of a config's ``dataset``: each data set's parameters, their bounds and defaults."""

from __future__ import annotations

import hashlib
from typing import Annotated, ClassVar, Literal, Self

from annotated_types import Ge, Gt, Le, Lt, MinLen
from pydantic import BeforeValidator, Field, PrivateAttr, model_validator

from initbench.spec.choice import Choice
from initbench.spec.fields import NonNegative, Positive, Seed, as_tuple

MAX_SAMPLES = 10_000_000

Samples = Annotated[int, Ge(2), Le(MAX_SAMPLES)]
Noise = Annotated[
    NonNegative, Field(description="Standard deviation of the Gaussian noise on each feature.")
]


class ResplitDataset(Choice):
    """A data set that is one split for all seeds, or with ``resplit`` another one for each seed."""

    #: The keys that say which samples are drawn, or how they are split.
    states: ClassVar[tuple[str, ...]] = ()
    #: Keys that came later. While they have their defaults, a run's identity does not know them.
    later: ClassVar[frozenset[str]] = frozenset()

    resplit: Annotated[
        bool,
        Field(
            description="Give each seed its own split, or its own samples: the same ones to all "
            "initializers."
        ),
    ] = False
    validation: Annotated[
        Annotated[float, Gt(0), Lt(1)] | None,
        Field(
            description="Share of the train samples that no run trains on, to choose settings by; "
            "null for none."
        ),
    ] = None
    judged_on: Annotated[
        Literal["test", "validation"],
        Field(description="Samples that the test metrics are computed on."),
    ] = "test"

    @model_validator(mode="after")
    def _has_what_it_is_judged_on(self) -> Self:
        if self.judged_on == "validation" and self.validation is None:
            raise ValueError(
                "has judged_on: validation without validation; add validation, as in 0.2"
            )
        return self

    @property
    def unasked(self) -> set[str]:
        """The later keys that have their defaults."""
        fields = type(self).model_fields
        return {key for key in self.later if getattr(self, key) == fields[key].default}

    def at_seed(self, seed: int) -> Self:
        """The data set that a run at this seed sees: this one, unless it is split anew.

        A random state is made of the seed and of the state that the config gives, by SHA-256, so
        that it is never the state that draws the seed's weights.
        """
        if not self.resplit:
            return self
        states = {key: derived_state(key, getattr(self, key), seed) for key in self.states}
        return self.model_copy(update={"resplit": False, **states})


def derived_state(key: str, state: int, seed: int) -> int:
    """The first four bytes of the SHA-256 of ``KEY STATE SEED``, as a whole number.

    >>> derived_state("split_random_state", 0, 3)
    1332963678
    """
    return int.from_bytes(hashlib.sha256(f"{key} {state} {seed}".encode()).digest()[:4])


class GeneratedDataset(ResplitDataset):
    """A synthetic data set, whose train and test samples are drawn from two random states."""

    states: ClassVar[tuple[str, ...]] = ("train_random_state", "test_random_state")

    train_samples: Annotated[Samples, Field(description="Number of train samples.")] = 300
    test_samples: Annotated[Samples, Field(description="Number of test samples.")] = 100
    train_random_state: Annotated[
        Seed, Field(description="Random state that draws the train samples.")
    ] = 1
    test_random_state: Annotated[
        Seed, Field(description="Random state that draws the test samples.")
    ] = 2


class CirclesDataset(GeneratedDataset):
    """Two concentric circles (scikit-learn's make_circles); the defaults are the article's."""

    name: Literal["circles"] = "circles"
    noise: Noise = 0.05
    factor: Annotated[
        float, Ge(0), Lt(1), Field(description="Radius of the inner circle; the outer has 1.")
    ] = 0.8


class MoonsDataset(GeneratedDataset):
    """Two interleaved half circles (scikit-learn's make_moons)."""

    name: Literal["moons"] = "moons"
    noise: Noise = 0.1


class SpiralsDataset(GeneratedDataset):
    """Spirals with one arm for each class: the angle grows with the radius, plus Gaussian noise."""

    name: Literal["spirals"] = "spirals"
    classes: Annotated[int, Ge(2), Le(100), Field(description="Number of classes and arms.")] = 2
    turns: Annotated[Positive, Field(description="Turns of an arm around the origin.")] = 1.0
    noise: Noise = 0.02


class BlobsDataset(ResplitDataset):
    """Gaussian blobs (scikit-learn's make_blobs): one draw, cut into train and test samples."""

    states: ClassVar[tuple[str, ...]] = ("random_state",)

    name: Literal["blobs"] = "blobs"
    train_samples: Annotated[Samples, Field(description="Number of train samples.")] = 300
    test_samples: Annotated[Samples, Field(description="Number of test samples.")] = 100
    centers: Annotated[int, Ge(2), Le(1000), Field(description="Number of blobs and classes.")] = 3
    features: Annotated[int, Ge(1), Le(10_000), Field(description="Number of features.")] = 2
    cluster_std: Annotated[
        NonNegative, Field(description="Standard deviation of each blob, in every feature.")
    ] = 1.0
    random_state: Annotated[
        Seed, Field(description="Random state that draws the centers and the samples.")
    ] = 0


class MeasuredDataset(ResplitDataset):
    """A real data set, split by a stated random state and standardised on its train samples.

    The split of a classification is stratified: train and test samples have the same shares of
    the classes.
    """

    states: ClassVar[tuple[str, ...]] = ("split_random_state",)

    test_fraction: Annotated[
        float,
        Ge(0),
        Lt(1),
        Field(
            description="Share of the samples that are kept for the test; 0 trains on all of them, "
            "and the test metrics are those of the train samples."
        ),
    ] = 0.25
    split_random_state: Annotated[
        Seed, Field(description="Random state that splits train from test samples.")
    ] = 0
    standardize: Annotated[
        Literal["features", "global", "none"],
        Field(
            description="Scale to mean 0 and standard deviation 1 on the train samples: each "
            "feature by itself, all features together, or not at all."
        ),
    ] = "features"


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
    """442 patients, 10 features, a regression (scikit-learn's load_diabetes).

    Its target is standardised on the train samples, as every regression's is.
    """

    name: Literal["diabetes"] = "diabetes"


Names = Annotated[tuple[str, ...], BeforeValidator(as_tuple, json_schema_input_type=list[str])]


class FileDataset(MeasuredDataset):
    """Your own data: a table with a header line, a Parquet or an NPZ file.

    ``target`` names the column to predict. In an NPZ file it names an array, and all other
    arrays are features. A target of texts, or of at most 20 distinct whole numbers with 3 rows
    each or more, makes a classification, and any other a regression, unless ``task`` says which.
    """

    later: ClassVar[frozenset[str]] = frozenset(
        {"features", "drop", "one_hot", "categories", "missing", "missing_target", "decimal"}
        | {"test_path", "split_column", "test_value"}
    )

    name: Literal["file"] = "file"
    path: Annotated[
        str,
        MinLen(1),
        Field(
            description="Path of a CSV (or gzipped CSV), Parquet or NPZ file, relative to the "
            "config's folder."
        ),
    ]
    target: Annotated[str, MinLen(1), Field(description="Column (or array of an NPZ) to predict.")]
    features: Annotated[
        Names | None, Field(description="Columns to learn from; null for all that can be.")
    ] = None
    drop: Annotated[Names, Field(description="Columns to leave out.")] = ()
    one_hot: Annotated[
        Names, Field(description="Columns to encode as categories, whatever their cells hold.")
    ] = ()
    categories: Annotated[
        Literal["one_hot", "drop"],
        Field(description="What becomes of text columns with few different texts."),
    ] = "one_hot"
    missing: Annotated[
        Literal["error", "drop", "mean", "median", "most_frequent"],
        Field(
            description="What becomes of rows with missing cells: refuse the file, drop the rows, "
            "or fill features with this value of the train samples."
        ),
    ] = "error"
    missing_target: Annotated[
        Literal["error", "drop"],
        Field(description="What becomes of rows whose target is missing."),
    ] = "error"
    test_path: Annotated[
        Annotated[str, MinLen(1)] | None,
        Field(description="Path of a file of the test samples; null to split the one file."),
    ] = None
    split_column: Annotated[
        Annotated[str, MinLen(1)] | None,
        Field(description="Column that says which rows are test samples."),
    ] = None
    test_value: Annotated[
        str, Field(description="What a test sample has in the split column; the others are train.")
    ] = "test"
    decimal: Annotated[
        Literal[".", ","], Field(description="Decimal mark of the numbers in a text file.")
    ] = "."
    task: Annotated[
        Literal["auto", "classification", "regression"],
        Field(description="What the target poses; auto decides by its values."),
    ] = "auto"

    _sha256: str = PrivateAttr("")

    @model_validator(mode="after")
    def _is_split_in_one_way(self) -> Self:
        ways = [key for key in ("test_path", "split_column") if getattr(self, key) is not None]
        ways += [key for key in ("resplit", "test_fraction") if ways and key in self._split_by()]
        if len(ways) > 1:
            raise ValueError(f"has {' and '.join(ways)}, which both split the samples; keep one")
        return self

    def _split_by(self) -> set[str]:
        """The keys of a split that is drawn, where they differ from their defaults."""
        fields = type(self).model_fields
        keys = ("resplit", "test_fraction")
        return {key for key in keys if getattr(self, key) != fields[key].default}

    @property
    def sha256(self) -> str:
        """The fingerprint of the bytes that this data set stands for; empty while unknown."""
        return self._sha256

    @property
    def unsplit(self) -> Self:
        """The data set before it is split and scaled: all that matters for reading the file."""
        kept = ("path", "target", "task", *self.later)
        return type(self)(**{key: getattr(self, key) for key in kept})

    def pinned(self, path: str, test_path: str | None, sha256: str) -> Self:
        """The data set at other paths, which stands for the bytes of this fingerprint alone."""
        copy = self.model_copy(update={"path": path, "test_path": test_path})
        copy._sha256 = sha256
        return copy


DATASET_MODELS: dict[str, type[ResplitDataset]] = {
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
