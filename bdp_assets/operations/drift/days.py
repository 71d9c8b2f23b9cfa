"""Live days against the champion's reference: rows of the lake as they were served."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import Registry
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.labels import KEY
from bdp_assets.ingest.tables import rows
from bdp_assets.monitoring.drift.counting import FRAUD, SCORE
from bdp_assets.monitoring.drift.judgement import Judge
from bdp_assets.monitoring.drift.labels import with_due_labels
from bdp_assets.monitoring.drift.reference import Reference, ReferenceUnusable
from bdp_assets.operations.drift.keeping import champions_reference
from bdp_assets.settings import Settings


@dataclass(frozen=True)
class DriftOfDay:
    """Features and scores of `day`, and labels of `label_day`, whose labels were due as `day` ended.

    `comparisons`: `judgement.COLUMNS`, and event_date, the day that a row is about.
    """

    model_version: str
    day: date
    label_day: date
    rows: int
    comparisons: pl.DataFrame
    not_compared: tuple[str, ...]
    """Quantities that had too few rows or training days everywhere."""

    @property
    def drifted(self) -> pl.DataFrame:
        return self.comparisons.filter("drifted")


def judge_days(settings: Settings, lake: Lake, first: date, last: date) -> Iterator[DriftOfDay]:
    """Judge the days first..last (UTC), which have to be over.

    Raises NothingToCompare, ReferenceUnusable, RegistryUnavailable.
    """
    version, reference = champions_reference(Registry.of(settings))
    if reference.catalog_version != CATALOG.version:
        raise ReferenceUnusable(
            f"champion {version} reads the features of catalog {reference.catalog_version}, this code makes "
            f"those of {CATALOG.version}: train a model on them (`bdp train`)"
        )
    judge = Judge.of(reference)
    for number in range((last - first).days + 1):
        yield _judge(judge, lake, version, first + timedelta(days=number))


def _judge(judge: Judge, lake: Lake, version: str, day: date) -> DriftOfDay:
    reference = judge.reference
    label_day = day - timedelta(days=reference.delay_days)
    served, judged = _served(lake, day, version), _labelled(lake, label_day, reference)
    of_labels = reference.quantities.index(FRAUD)
    counts, labels = reference.count(served, day), reference.count(judged, label_day)
    counts[of_labels] = 0
    labels[np.arange(len(labels)) != of_labels] = 0
    parts = [(day, counts), (label_day, labels)]
    found = [judge.judge(when, what).with_columns(pl.lit(when).alias(EVENT_DATE)) for when, what in parts]
    comparisons = pl.concat(found)
    silent = tuple(name for name in reference.quantities if name not in set(comparisons["quantity"]))
    return DriftOfDay(version, day, label_day, len(served), comparisons, silent)


def _served(lake: Lake, day: date, version: str) -> pl.DataFrame:
    """The day's features as they were served, and scores where this model decided."""
    wanted = [*KEY, "ts_ms", EVENT_DATE, *CATALOG.names]
    features = rows(lake, "enriched", wanted, (day, day), pl.col("catalog_version") == CATALOG.version)
    decided = rows(
        lake,
        "predictions",
        [*KEY, "fraud_probability"],
        (day, day),
        pl.col("model_version") == version,
    ).unique(KEY, keep="last")
    scores = decided.rename({"fraud_probability": SCORE})
    joined = features.join(scores, on=KEY, how="left", maintain_order="left")
    return joined.with_columns(pl.lit(None, pl.Float64).alias(FRAUD))


def _labelled(lake: Lake, day: date, reference: Reference) -> pl.DataFrame:
    """The day's transactions with their labels, all of which are due."""
    transactions = _served(lake, day, version="").drop(FRAUD)
    due = day + timedelta(days=reference.delay_days)
    labels = rows(lake, "labels", [*KEY, "is_fraud", "known_at_ms"], (day, due))
    end = datetime(due.year, due.month, due.day, tzinfo=UTC) + timedelta(days=1)
    return with_due_labels(transactions, labels, reference.delay_days, int(end.timestamp() * 1000))
