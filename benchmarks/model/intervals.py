"""How sure figures of folds and their means are: bootstrap over customers and merchants.

A customer's transactions stand or fall together, and a merchant's still more: most frauds of the Handbook's
data are runs at one terminal. Who drew customers alone would believe in intervals half as wide.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from sklearn.metrics import average_precision_score, roc_auc_score

from bdp_assets.training.evaluate import suspects

DRAWS = 200
LEVEL = (2.5, 97.5)
METRICS = ("auc", "average_precision", "card_precision_at_100")

Interval = dict[str, tuple[float, float]]
Times = NDArray[np.int64]
"""How often each is drawn."""


class Intervals(NamedTuple):
    """95% intervals of each of `METRICS`: of each fold, and of the mean of the folds."""

    folds: list[Interval]
    mean: Interval


def intervals(folds: Sequence[pl.DataFrame], seed: int = 0) -> Intervals:
    """Of scored test rows (customer_id, merchant_id, ts_ms, is_fraud, probability).

    Percentile bootstrap (Efron 1979). A draw takes as many customers and as many merchants of each fold, with
    replacement, and a transaction as often as its customer times its merchant (the pigeonhole bootstrap, Owen
    2007); card precision, which lists customers, by those alone. A draw without fraud, or of nothing else,
    has no figures and is left out.
    """
    drawn = [_drawn(fold, np.random.default_rng((seed, i))) for i, fold in enumerate(folds)]
    return Intervals([_interval(one) for one in drawn], _interval(np.mean(drawn, axis=0)))


def _interval(drawn: NDArray[np.float64]) -> Interval:
    low, high = np.nanpercentile(drawn, LEVEL, axis=0)
    return {name: (float(low[i]), float(high[i])) for i, name in enumerate(METRICS)}


def _drawn(fold: pl.DataFrame, rng: np.random.Generator) -> NDArray[np.float64]:
    """Each draw's metrics, [draws, metrics]."""
    fraud, probability = fold["is_fraud"].to_numpy(), fold["probability"].to_numpy()
    names, shops = fold["customer_id"].unique().sort(), fold["merchant_id"].unique().sort()
    customer, merchant = _places(fold["customer_id"], names), _places(fold["merchant_id"], shops)
    days = _days(fold, names)
    found = np.full((DRAWS, len(METRICS)), np.nan)
    for row in found:
        times = _times(rng, len(names))
        weight = times[customer] * _times(rng, len(shops))[merchant]
        if 0 < weight[fraud].sum() < weight.sum():
            row[:] = (
                roc_auc_score(fraud, probability, sample_weight=weight),
                average_precision_score(fraud, probability, sample_weight=weight),
                card_precision(days, times, 100),
            )
    return found


def _times(rng: np.random.Generator, count: int) -> Times:
    return np.bincount(rng.integers(0, count, count), minlength=count)


def _places(ids: pl.Series, names: pl.Series) -> NDArray[np.int64]:
    return names.search_sorted(ids).to_numpy().astype(np.int64)


def _days(fold: pl.DataFrame, names: pl.Series) -> list[tuple[NDArray[np.int64], NDArray[np.bool_]]]:
    """Each day's customers, the most suspicious first, and whether they were defrauded."""
    days = suspects(fold).partition_by("day", maintain_order=True)
    return [(_places(day["customer_id"], names), day["is_fraud"].to_numpy()) for day in days]


def card_precision(
    days: Sequence[tuple[NDArray[np.int64], NDArray[np.bool_]]], times: Times, top: int
) -> float:
    """`evaluate.card_precision` where a customer who was drawn n times is n customers."""
    left, shares = times.copy(), []
    for customers, fraud in days:
        wanted = left[customers]
        listed = np.clip(top - (np.cumsum(wanted) - wanted), 0, wanted)
        caught = listed * fraud
        left[customers] -= caught
        shares.append(caught.sum() / top)
    return float(np.mean(shares))
