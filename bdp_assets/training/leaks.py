"""The leak guard: what a model is about to be trained on must not know more than was known at the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from bdp_assets.training.early_labels import History, early_labels
from bdp_assets.training.split import DAY_MS, KEY, TrainingData, TrainingError
from bdp_assets.training.split_leaks import split_leaks

NAMED = 5


class LeakFound(TrainingError):  # noqa: N818 - reads as what it is
    """The data knows what nobody knew at the time; the message says which feature or rows."""


@dataclass(frozen=True)
class Leaks:
    """What was found. `features`: a row each, see `early_labels`; the others are sentences."""

    features: pl.DataFrame
    split: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    @property
    def found(self) -> list[str]:
        """A sentence for each leak; empty when there is none."""
        return [*_named(self.features), *self.split, *self.labels]

    def refuse(self) -> None:
        """Raises LeakFound where there is a leak."""
        if self.found:
            raise LeakFound("\n  ".join(["the data knows too much, nothing is trained:", *self.found]))


def look_for_leaks(data: TrainingData, history: History, delay_days: int) -> Leaks:
    """Judge the features, the split and the labels of training data by the history that it was made of."""
    return Leaks(
        early_labels(data.features, history),
        tuple(split_leaks(data, delay_days * DAY_MS)),
        tuple(_labels_before(history)),
    )


def _named(features: pl.DataFrame) -> Iterator[str]:
    if moved := _those(features, "moved"):
        yield f"features that read labels nobody knew yet: {moved}"
    if ahead := _those(features, "ahead"):
        yield f"features that read transactions of later than their own: {ahead}"
    if differs := _those(features.filter(moved=0, ahead=0), "differs"):
        yield (
            f"stored features that do not follow from what was known at their time: {differs}. They hold "
            "what came later, or are older than their transactions: materialise the features anew"
        )


def _those(features: pl.DataFrame, count: str) -> str:
    """The features that have any, the most first, with how many of the rows compared."""
    some = features.filter(pl.col(count) > 0).sort(count, descending=True, maintain_order=True)
    named = [
        f"{row['feature']} ({row[count]} of {row['compared']} rows)" for row in some.head(NAMED).to_dicts()
    ]
    more = [f"and {len(some) - NAMED} more"] if len(some) > NAMED else []
    return ", ".join([*named, *more])


def _labels_before(history: History) -> Iterator[str]:
    """What makes the guard itself blind: labels that claim to have been known before there was anything."""
    times = history.transactions.select(*KEY, "ts_ms").unique(KEY, keep="first")
    about = history.labels.select(*KEY, "known_at_ms").join(times, on=KEY)
    early = about.filter(pl.col("known_at_ms") < pl.col("ts_ms")).height
    if early:
        yield f"{early:,} labels say that they were known before their transaction: mend known_at_ms"
