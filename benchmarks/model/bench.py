"""`bdp bench model`: how well the ensemble finds fraud, by the Handbook's protocol and beside its models."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl

from bdp_assets.runtime.problems import Problem
from bdp_assets.training.evaluate import metrics
from bdp_assets.training.pipeline import DEFAULT
from bdp_assets.training.protocols import PROTOCOLS
from bdp_assets.training.split import TrainingError
from benchmarks.bench import Bench, Figures, Outcome, Plot, Request
from benchmarks.features.data import Given, given
from benchmarks.goals import Goal
from benchmarks.model import sides
from benchmarks.model.folds import DELAY_DAYS, FIRST_DAYS, TEST_DAYS, TRAIN_DAYS, Fold, folds
from benchmarks.model.intervals import Interval, intervals

SIDES: Mapping[str, Callable[[Fold], pl.DataFrame]] = {
    "ours": sides.ours,
    "rf": sides.random_forest,
    "xgb": sides.boosted,
}
PUBLISHED = {
    "rf": {"auc": 0.870, "ap": 0.678, "cp100": 0.299},
    "xgb": {"auc": 0.869, "ap": 0.687, "cp100": 0.303},
}
"""Of the peers, means of the four folds: what the Handbook's models reach by its protocol."""
_OTHER_FOLDS = "Name other first training days: --folds YYYY-MM-DD,..."
_NAMES = {"auc": "auc", "average_precision": "ap", "card_precision_at_100": "cp100"}


def run(request: Request) -> Outcome:
    request.say("reading the transactions")
    return measured(given(request.data), request)


def measured(data: Given, request: Request) -> Outcome:
    """Every figure of the bench on this data."""
    request.say("features of both catalogs")
    found = folds(data, request.folds or FIRST_DAYS)
    figures = {name: _judged(name, side, found, request) for name, side in SIDES.items()}
    ours = figures.pop("ours")
    return Outcome(
        repeats=1,
        data={
            **data.describe(),
            "folds": [fold.first_day.isoformat() for fold in found],
            "days": {"train": TRAIN_DAYS, "delay": DELAY_DAYS, "test": TEST_DAYS},
            "recipe": {name: getattr(DEFAULT, name) for name in DEFAULT.__struct_fields__},
        },
        ours=ours,
        floor={},
        peers=figures,
        ratios={
            f"ap_vs_{name}": round(ours["ap_mean"] / peer["ap_mean"], 3) for name, peer in figures.items()
        },
    )


def _judged(
    name: str, side: Callable[[Fold], pl.DataFrame], found: Sequence[Fold], request: Request
) -> Figures:
    scored = []
    for fold in found:
        request.say(f"{name}: train from {fold.first_day}")
        scored.append(_scored(fold, side))
    request.say(f"{name}: intervals")
    each = [found for _, found in scored]
    sure = intervals([rows for rows, _ in scored])
    means = {long: float(np.mean([one[long] for one in each])) for long in _NAMES}
    return {
        **_figures(means, sure.mean, "_mean"),
        "folds": [_figures(one, interval) for one, interval in zip(each, sure.folds, strict=True)],
    }


def _scored(fold: Fold, side: Callable[[Fold], pl.DataFrame]) -> tuple[pl.DataFrame, dict[str, float]]:
    """Test rows and their metrics. Raises Problem: without fraud nobody can learn it, or be judged."""
    try:
        rows = side(fold)
        return rows, metrics(rows)
    except TrainingError as error:
        raise Problem(f"The fold of {fold.first_day} can not be done: {error}", _OTHER_FOLDS) from error


def _figures(found: Mapping[str, float], sure: Interval, of: str = "") -> Figures:
    """Each metric with the ends of its interval; `of`: what of them it is."""
    figures: Figures = {}
    for long, short in _NAMES.items():
        low, high = sure[long]
        figures |= {
            f"{short}{of}{end}": round(value, 4)
            for end, value in (("", found[long]), ("_low", low), ("_high", high))
        }
    return figures


BENCH = Bench(
    name="model",
    summary="average precision by the Handbook's protocol; its published forest and boosted trees are peers",
    run=run,
    goals={
        # What is above can only be a leak.
        "ours.ap_mean": Goal(least=0.745, most=PROTOCOLS["handbook"].most_ap),
        # The peers tell whether the protocol is right: as published, within 0.003; of the list of 100 cards a
        # day, of which a dozen more or less is chance, within 0.01.
        **{
            f"peers.{name}.{metric}_mean": Goal(least=round(value - off, 3), most=round(value + off, 3))
            for name, published in PUBLISHED.items()
            for metric, value in published.items()
            for off in (0.01 if metric == "cp100" else 0.003,)
        },
    },
    plots=(
        Plot(
            "Average precision, mean of the folds",
            "AP",
            {"ours": "ours.ap_mean", "forest": "peers.rf.ap_mean", "boosted": "peers.xgb.ap_mean"},
        ),
    ),
)
