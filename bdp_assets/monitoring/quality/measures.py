"""Numbers of an hour, on scales where chance alone varies them by a known amount.

Counts, ages and shares vary more where they are larger; a bound needs a scale on which they do not. The
transformations are the textbook ones: the square root of counts (Anscombe), the square root of waiting times,
the angle of shares (Freeman and Tukey).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]
Bools: TypeAlias = NDArray[np.bool_]

_WAITING = float(np.sqrt(1 - np.pi / 4) / np.sqrt(np.log(2)))
"""Of the square root of a waiting time between independent events: standard deviation over median."""


@dataclass(frozen=True)
class Measure:
    """A number an hour, hour after hour."""

    value: Floats
    """In its own unit; NaN where the hour says nothing."""
    x: Floats
    """On the scale where it is judged."""
    chance: Callable[[Floats, Bools], Floats]
    """The standard deviation on that scale that chance alone gives the hours that the mask chooses, by their
    medians."""
    back: Callable[[Floats], Floats]
    """From that scale to the unit."""


def _median(values: Floats) -> float:
    return float(np.median(values)) if len(values) else 0.0


def counts(rows: Floats) -> Measure:
    """Rows an hour; NaN before the table's first."""
    return Measure(
        rows,
        2 * np.sqrt(rows + 3 / 8),
        lambda usual, _: np.ones_like(usual),
        lambda x: np.maximum((np.maximum(x, 0) / 2) ** 2 - 3 / 8, 0),
    )


def ages(seconds: Floats) -> Measure:
    """Age of the newest row at the end of the hour, in seconds; NaN before the table's first row."""
    return Measure(
        seconds,
        np.sqrt(seconds),
        # A median of few hours may be small by luck: none is taken to wait less than most hours do.
        lambda usual, _: _WAITING * np.maximum(np.maximum(usual, _median(usual)), 1.0),
        lambda x: np.maximum(x, 0) ** 2,
    )


def shares(some: Floats, of: Floats) -> Measure:
    """`some` of so many rows an hour; an hour without rows says nothing."""
    present = of > 0
    value = np.divide(some, of, out=np.full(len(of), np.nan), where=present)
    angle = np.arcsin(np.sqrt((some + 3 / 8) / (of + 3 / 4)))
    return Measure(
        value,
        np.where(present, angle, np.nan),
        lambda _, chosen: 1 / np.sqrt(4 * of[chosen] + 2),
        lambda x: np.sin(np.clip(x, 0, np.pi / 2)) ** 2,
    )
