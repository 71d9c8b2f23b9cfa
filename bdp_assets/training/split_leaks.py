"""What is wrong with a split: tested on the time, the labels or the customers that it was trained on."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from bdp_assets.training.split import (
    DAY_MS,
    KEY,
    TrainingData,
    blocked_rows,
    times_of_fraud,
    with_labels,
)


def split_leaks(data: TrainingData, delay_ms: int) -> list[str]:
    """A sentence for each way in which the training rows tell about the test rows.

    Judges the rows that `data` gives, and not what its split says. `delay_ms`: how long labels take.
    """
    train, test = data.train_rows(), data.test_rows()
    if train.is_empty() or test.is_empty():
        return []
    begins = _first(test)
    return [
        *_overlap(train, test, begins, delay_ms),
        *_labels_of_later(train, data.labels, min(begins, data.split.test_start_ms, data.cut_ms)),
        *_blocked(test, data),
    ]


def _overlap(train: pl.DataFrame, test: pl.DataFrame, begins: int, delay_ms: int) -> Iterator[str]:
    twice = train.join(test, on=KEY, how="semi").height
    if twice:
        yield f"{twice:,} transactions are in the training and in the test rows"
    late = train.filter(pl.col("ts_ms") > begins - delay_ms).height
    if late:
        yield (
            f"{late:,} training rows are not {delay_ms / DAY_MS:g} days older than the first test row: a "
            "split must be in time, with the delay of the labels between"
        )


def _labels_of_later(train: pl.DataFrame, labels: pl.DataFrame, at_ms: int) -> Iterator[str]:
    known = with_labels(train.select(KEY), labels, at_ms)["is_fraud"]
    later = int((known != train["is_fraud"]).sum())
    if later:
        yield f"{later:,} training rows have another label than was known when the test begins"


def _blocked(test: pl.DataFrame, data: TrainingData) -> Iterator[str]:
    since = data.features.filter(pl.col("ts_ms") >= data.split.train_start_ms).select(KEY)
    rows = len(blocked_rows(test, times_of_fraud(data.labels.join(since, on=KEY, how="semi"))))
    if rows:
        yield f"{rows:,} test rows are of customers whose fraud was known before their day: those are blocked"


def _first(rows: pl.DataFrame) -> int:
    return int(rows["ts_ms"].min())  # type: ignore[arg-type]
