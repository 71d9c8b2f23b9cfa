"""Time-ordered splits with delayed labels: what was known when, and who is left to be tested on.

|<- train_days ->|<- delay_days ->|<- test_days ->|<- delay_days ->| cut
  fit on labels known at test start  scored on labels known at the cut
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime

import polars as pl

DAY_MS = 86_400_000
KEY = ["customer_id", "transaction_id"]
TRAIN_DAYS = 28
TEST_DAYS = 7


class TrainingError(Exception):
    """The data can not train or test a model; the message says why and what to do."""


@dataclass(frozen=True)
class Split:
    """Half-open windows of event time, UTC epoch milliseconds at midnight."""

    train_start_ms: int
    train_end_ms: int
    test_start_ms: int
    test_end_ms: int

    @property
    def due_ms(self) -> int:
        """When labels of the test window have had as long as those of the training to arrive."""
        return self.test_end_ms + self.test_start_ms - self.train_end_ms

    @property
    def test_days(self) -> int:
        return (self.test_end_ms - self.test_start_ms) // DAY_MS

    @classmethod
    def before(
        cls, cut_ms: int, *, delay_days: int, train_days: int = TRAIN_DAYS, test_days: int = TEST_DAYS
    ) -> Split:
        """The latest split whose test labels have had `delay_days` to arrive by `cut_ms`."""
        test_end = cut_ms // DAY_MS * DAY_MS - delay_days * DAY_MS
        return cls.starting(
            test_end - (train_days + delay_days + test_days) * DAY_MS,
            train_days=train_days,
            delay_days=delay_days,
            test_days=test_days,
        )

    @classmethod
    def starting(cls, train_start_ms: int, *, train_days: int, delay_days: int, test_days: int) -> Split:
        """The split of a protocol that names the first training day, as the Fraud Detection Handbook does."""
        train_end = train_start_ms + train_days * DAY_MS
        test_start = train_end + delay_days * DAY_MS
        return cls(train_start_ms, train_end, test_start, test_start + test_days * DAY_MS)


@dataclass(frozen=True)
class TrainingData:
    """All rows of a split as they were known.

    Args:
        features: transaction_id, customer_id, ts_ms and the catalog's features, float64 and finite.
        labels: fields of `contracts.records.Label`; a transaction without a label counts as good.
        cut_ms: nothing that became known later is used, UTC epoch milliseconds.
    """

    features: pl.DataFrame
    labels: pl.DataFrame
    split: Split
    cut_ms: int

    def train_rows(self) -> pl.DataFrame:
        """Features and `is_fraud` of the training window, by the labels known as the test begins."""
        rows = _window(self.features, self.split.train_start_ms, self.split.train_end_ms)
        return with_labels(rows, self.labels, min(self.split.test_start_ms, self.cut_ms))

    def test_rows(self) -> pl.DataFrame:
        """Features and `is_fraud` of the test window, by the labels known at the cut.

        Without customers who at a day's midnight were known to be defrauded since the training window began:
        a known compromised card is blocked, so finding it again proves nothing (the Handbook's protocol). A
        reversal by then lets them in again.
        """
        rows = _window(self.features, self.split.test_start_ms, self.split.test_end_ms)
        return self._without_blocked(with_labels(rows, self.labels, self.cut_ms))

    def _without_blocked(self, test: pl.DataFrame) -> pl.DataFrame:
        recent = self.features.filter(pl.col("ts_ms") >= self.split.train_start_ms).select(KEY)
        blocked = blocked_rows(test, times_of_fraud(self.labels.join(recent, on=KEY, how="semi")))
        return test.filter(~pl.int_range(pl.len()).is_in(blocked.implode()))


def times_of_fraud(labels: pl.DataFrame) -> pl.DataFrame:
    """From when on a transaction was known to be fraud, and until when: customer_id, from_ms, until_ms.

    A later label of the same transaction ends it; until then, and where there is none, it is fraud.
    """
    next_ms = pl.col("known_at_ms").shift(-1).over(KEY)
    return (
        labels.sort("known_at_ms", maintain_order=True)
        .with_columns(until_ms=next_ms.fill_null(pl.Int64.max()))
        .filter("is_fraud")
        .select("customer_id", "until_ms", from_ms="known_at_ms")
    )


def blocked_rows(rows: pl.DataFrame, frauds: pl.DataFrame) -> pl.Series:
    """Numbers of the rows whose customer, by `times_of_fraud`, was known to be defrauded at midnight."""
    midnight = pl.col("ts_ms") // DAY_MS * DAY_MS
    met = rows.select("customer_id", midnight=midnight, row=pl.int_range(pl.len())).join(
        frauds, on="customer_id"
    )
    is_blocked = (pl.col("from_ms") <= pl.col("midnight")) & (pl.col("midnight") < pl.col("until_ms"))
    return met.filter(is_blocked)["row"].unique()


def midnight_after(ms: int) -> int:
    return (ms // DAY_MS + 1) * DAY_MS


def day_of(ms: int) -> date:
    """In UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).date()


def hold_out(rows: pl.DataFrame, share: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Split rows in time: all before the last `share` of them, and those."""
    start = rows["ts_ms"].quantile(1 - share, "nearest")
    return rows.filter(pl.col("ts_ms") < start), rows.filter(pl.col("ts_ms") >= start)


def _window(features: pl.DataFrame, start_ms: int, end_ms: int) -> pl.DataFrame:
    return features.filter(pl.col("ts_ms").is_between(start_ms, end_ms, closed="left"))


def with_labels(features: pl.DataFrame, labels: pl.DataFrame, at_ms: int) -> pl.DataFrame:
    """Features plus `is_fraud` as known at a time: the latest label counts, so a reversal takes one back."""
    known = (
        labels.filter(pl.col("known_at_ms") <= at_ms)
        .sort("known_at_ms", maintain_order=True)
        .unique(KEY, keep="last", maintain_order=True)
        .select(*KEY, "is_fraud")
    )
    return features.join(known, on=KEY, how="left", maintain_order="left").with_columns(
        pl.col("is_fraud").fill_null(value=False)
    )
