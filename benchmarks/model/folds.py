"""The Handbook's protocol: train on a week, wait a week for labels, test on a week; several folds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.runtime.problems import Problem
from bdp_assets.training.split import DAY_MS, Split, TrainingData
from benchmarks.features.data import Given

FIRST_DAYS = (date(2018, 7, 25), date(2018, 8, 1), date(2018, 8, 8), date(2018, 8, 15))
"""On which the Handbook's four folds begin to train."""
TRAIN_DAYS, DELAY_DAYS, TEST_DAYS = 7, 7, 7
NIGHT_ENDS = 6


@dataclass(frozen=True)
class Fold:
    """The same rows twice: with the platform's features, and with the 15 of the Handbook."""

    first_day: date
    ours: TrainingData
    handbook: TrainingData


def folds(given: Given, first_days: Sequence[date]) -> list[Fold]:
    """Each day's fold, once. Raises Problem: the data does not reach from a fold's first day to its last."""
    first_days = list(dict.fromkeys(first_days))
    splits = [_split(given, day) for day in first_days]
    start, end = min(split.train_start_ms for split in splits), max(split.test_end_ms for split in splits)
    # All that lies before feeds features; only the rows of the folds are answered.
    asked = given.transactions["ts_ms"].is_between(start, end, closed="left")
    ours, handbook = (
        build_features(given.transactions, given.labels, catalog, only=asked)
        for catalog in (CATALOG, HANDBOOK)
    )
    transactions = given.transactions.filter(asked)
    ours = ours.with_columns(transactions["merchant_id"])
    handbook = handbook.with_columns(transactions["merchant_id"], *_of_the_transaction(transactions))
    return [
        Fold(day, _data(ours, given, split), _data(handbook, given, split))
        for day, split in zip(first_days, splits, strict=True)
    ]


def handbook_names() -> tuple[str, ...]:
    return ("TX_AMOUNT", "TX_DURING_WEEKEND", "TX_DURING_NIGHT", *HANDBOOK.names)


def _split(given: Given, day: date) -> Split:
    start = int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
    split = Split.starting(start, train_days=TRAIN_DAYS, delay_days=DELAY_DAYS, test_days=TEST_DAYS)
    known = given.transactions["ts_ms"]
    if start < int(known.min()) or split.test_end_ms > (int(known.max()) // DAY_MS + 1) * DAY_MS:  # type: ignore[arg-type]
        raise Problem(
            f"{given.source} has not all of the {TRAIN_DAYS + DELAY_DAYS + TEST_DAYS} days from {day} on.",
            "Name first training days that it reaches: --folds YYYY-MM-DD,...",
        )
    return split


def _of_the_transaction(transactions: pl.DataFrame) -> list[pl.Series]:
    """What the Handbook reads of a transaction itself."""
    time = pl.from_epoch("ts_ms", time_unit="ms").dt
    values = transactions.select(
        TX_AMOUNT=pl.col("amount_base_minor") / 100,
        TX_DURING_WEEKEND=(time.weekday() > 5).cast(pl.Float64),  # 1 is Monday.
        TX_DURING_NIGHT=(time.hour() <= NIGHT_ENDS).cast(pl.Float64),
    )
    return values.get_columns()


def _data(features: pl.DataFrame, given: Given, split: Split) -> TrainingData:
    rows = features.filter(pl.col("ts_ms").is_between(split.train_start_ms, split.test_end_ms, closed="left"))
    return TrainingData(rows, given.labels, split, split.test_end_ms + DELAY_DAYS * DAY_MS)
