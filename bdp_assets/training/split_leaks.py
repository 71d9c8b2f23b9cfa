"""What is wrong with a split: tested on times, labels or customers of its training, or on picked rows."""

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
    """A sentence for each way in which the training rows tell about the test rows, or rows were picked.

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
        *_missing(train, test, data),
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
    rows = len(_of_blocked(test, data))
    if rows:
        yield f"{rows:,} test rows are of customers whose fraud was known before their day: those are blocked"


def _missing(train: pl.DataFrame, test: pl.DataFrame, data: TrainingData) -> Iterator[str]:
    """Who picks the rows picks the result: a test without most of the good ones flatters."""
    split, time = data.split, pl.col("ts_ms")
    learned = data.features.filter(time.is_between(split.train_start_ms, split.train_end_ms, closed="left"))
    tested = data.features.filter(time.is_between(split.test_start_ms, split.test_end_ms, closed="left"))
    tested = tested.filter(~pl.int_range(pl.len()).is_in(_of_blocked(tested, data).implode()))
    for window, rows, what in ((learned, train, "training"), (tested, test, "test")):
        missing = window.join(rows, on=KEY, how="anti").height
        if missing:
            yield (
                f"{missing:,} rows of the {what} window are missing from the {what}: only test rows "
                "of blocked customers may be left out"
            )


def _of_blocked(rows: pl.DataFrame, data: TrainingData) -> pl.Series:
    """Numbers of the rows of customers who are blocked by then. Not taken from the split: it is judged."""
    since = data.features.filter(pl.col("ts_ms") >= data.split.train_start_ms).select(KEY)
    return blocked_rows(rows, times_of_fraud(data.labels.join(since, on=KEY, how="semi")))


def _first(rows: pl.DataFrame) -> int:
    return int(rows["ts_ms"].min())  # type: ignore[arg-type]
