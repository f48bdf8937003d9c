"""Regressions in the reader's units: R squared and the error, from the test loss."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from initbench import datasets
from initbench.analysis.intervals import Interval
from initbench.analysis.summary import Spread
from initbench.files import finite_or_none
from initbench.spec import Experiment

R_SQUARED = "test\nR²"
ERROR = "test\nerror"
#: Both in one column, where there is no room for two.
BOTH = "test\nR²,\nerror"
#: Significant digits of an error.
DIGITS = 3
#: Larger numbers than these are not written out.
WHOLE = 10**7


@dataclass(frozen=True, slots=True)
class Scale:
    """What turns the test loss of a regression into R squared, and into an error.

    Attributes:
        target: What is predicted.
        unit: The standard deviation of the target over the train samples, which it is divided by.
        variance: The variance of the standardised target over the test samples.
    """

    target: str
    unit: float
    variance: float

    def r_squared(self, test_loss: float) -> float:
        """1 - loss / variance: 1 for a perfect prediction, 0 for the mean of the test samples.

        >>> Scale("price", 20.0, 1.25).r_squared(0.25)
        0.8
        """
        return 1 - test_loss / self.variance if self.variance else math.nan

    def error(self, test_loss: float) -> float:
        """The root of the mean squared error, in the unit of the target.

        >>> Scale("price", 20.0, 1.25).error(0.25)
        10.0
        """
        return self.unit * math.sqrt(test_loss)

    @property
    def legend(self) -> str:
        """What the losses and both columns are, for the legend of a table."""
        return (
            f"Loss is the mean squared error of {self.target} in squared standard deviations of "
            f"the train samples, each {_figure(self.unit)}. R²: 1 is perfect, 0 as good as the "
            f"mean of the test samples. Error: root mean squared, in the unit of {self.target}."
        )


def scale_of(experiment: Experiment) -> Scale | None:
    """The scale of a regression; None for classes, and where each seed has a split of its own."""
    data = datasets.load(experiment.dataset)
    if data.task != "regression" or experiment.dataset.resplit:
        return None
    return Scale(data.target or "the target", data.unit, float(np.var(data.test.targets)))


def cells(scale: Scale, loss: Spread | Interval | None) -> dict[str, str]:
    """The cells of R squared and of the error of a test loss, each with its range."""
    if loss is None:
        return {R_SQUARED: "-", ERROR: "-"}
    middle, low, high = _ends(loss)
    return {
        R_SQUARED: _ranged([_share(scale.r_squared(x)) for x in (middle, high, low)]),
        ERROR: _ranged([_figure(scale.error(x)) for x in (middle, low, high)]),
    }


def short_cell(scale: Scale, loss: Spread | Interval | None) -> str:
    r"""R squared and, on a second line, the error.

    >>> short_cell(Scale("price", 20.0, 1.25), Interval(0.25, 0.2, 0.3))
    '0.800\n10'
    """
    if loss is None:
        return "-"
    middle, *_ = _ends(loss)
    return f"{_share(scale.r_squared(middle))}\n{_figure(scale.error(middle))}"


def fields(scale: Scale | None, loss: Spread | Interval | None) -> dict[str, object]:
    """R squared and the error of a test loss for JSON; none for classes, null without a loss."""
    if scale is None:
        return {}
    if loss is None:
        return {"test_r_squared": None, "test_error": None}
    middle, low, high = _ends(loss)
    names = ("median", "low", "high")
    found = {
        "test_r_squared": [scale.r_squared(x) for x in (middle, high, low)],
        "test_error": [scale.error(x) for x in (middle, low, high)],
    }
    return {
        key: {name: finite_or_none(x) for name, x in zip(names, values, strict=True)}
        for key, values in found.items()
    }


def _ends(loss: Spread | Interval) -> tuple[float, float, float]:
    middle = loss.median if isinstance(loss, Spread) else loss.estimate
    if loss.low < 0:  # the interval of a single run has no ends
        return middle, math.nan, math.nan
    return middle, loss.low, loss.high


def _share(x: float) -> str:
    if not abs(x) < 10:
        return _figure(x)
    text = f"{x:.3f}"
    return text if float(text) else text.lstrip("-")  # 0 has no sign


def _figure(x: float) -> str:
    return f"{x:,.0f}" if 10**DIGITS <= abs(x) < WHOLE else f"{x:.{DIGITS}g}"


def _ranged(texts: list[str]) -> str:
    middle, low, high = texts
    return middle if low == high else f"{middle}\n{low}–{high}"  # "nan" is as both ends
