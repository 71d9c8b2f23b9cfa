"""Decisions of mature days with what became of them, as they were served and as a challenger would have."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import FEATURES
from bdp_assets.contracts.records import Decision
from bdp_assets.features.catalog import AMOUNT
from bdp_assets.ingest.tables import TABLES, rows
from bdp_assets.monitoring.performance.segments import with_segments
from bdp_assets.monitoring.performance.window import Window
from bdp_assets.operations.batch_decisions import DECIDED_BY as BATCH
from bdp_assets.operations.shadow.scores import TABLE as SHADOW_SCORES
from bdp_assets.training.split import KEY, TRAIN_DAYS, Split, TrainingData, with_labels

PREDICTIONS, WITHOUT_LISTS = "predictions", "decision_without_lists"
_POSITION = {decision.value: position for position, decision in enumerate(Decision)}
_SERVED = [*KEY, "ts_ms", AMOUNT, "decided_at_ms", "decided_by", "model_version", "fraud_probability"]
_LIVE = pl.col("decided_by") != BATCH


def labels_known(lake: Lake, window: Window) -> pl.DataFrame:
    """Labels that were known by the window's midnight, in an order that does not depend on the lake's."""
    known = rows(
        lake, "labels", [*KEY, "known_at_ms", "is_fraud"], None, pl.col("known_at_ms") <= window.as_of_ms
    )
    return known.sort("known_at_ms", *KEY, "is_fraud")


def served(lake: Lake, window: Window, labels: pl.DataFrame) -> pl.DataFrame:
    """Live decisions of the window's days, each transaction once, as it was first decided.

    Columns: KEY, ts_ms, amount_base_minor, model_version, probability, decided (position in `Decision`, by
    model, policy and rules), is_fraud, and one for each segment. A transaction without a label counts as
    good. One day's features are in memory at a time.
    """
    found = pl.concat([_served_day(lake, day) for day in window.dates()])
    first = found.sort("decided_at_ms", "decided_by").unique(KEY, keep="first", maintain_order=True)
    decisions = first.drop("decided_at_ms", "decided_by").sort("ts_ms", *KEY)
    return with_labels(decisions, labels, window.as_of_ms)


def _served_day(lake: Lake, day: date) -> pl.DataFrame:
    found = _predictions(lake, (day, day), [*_SERVED, "decision", WITHOUT_LISTS, FEATURES]).filter(_LIVE)
    decided = pl.coalesce(WITHOUT_LISTS, "decision").replace_strict(_POSITION, return_dtype=pl.Int8)
    known = found.with_columns(decided=decided).rename({"fraud_probability": "probability"})
    return with_segments(known.drop("decision", WITHOUT_LISTS))


def _predictions(lake: Lake, dates: tuple[date, date], wanted: list[str]) -> pl.DataFrame:
    """A table that was written before a column was thought of lacks it: then it is null."""
    empty = pl.DataFrame(schema={name: TABLES[PREDICTIONS][name] for name in wanted})
    if not lake.exists(PREDICTIONS):
        return empty
    there = lake.scan(PREDICTIONS).collect_schema().names()
    found = rows(lake, PREDICTIONS, [name for name in wanted if name in there], dates)
    return pl.concat([empty, found], how="diagonal").select(wanted)


def shadowed(lake: Lake, window: Window, live: pl.DataFrame) -> pl.DataFrame:
    """Rows of `served` that a challenger scored too, once for each: with challenger_version,
    challenger_probability and challenger_decided beside what was decided.
    """
    columns = [*KEY, "challenger_version", "challenger_score", "challenger_decision"]
    scores = rows(lake, SHADOW_SCORES, columns, (window.first, window.last))
    decided = pl.col("challenger_decision").replace_strict(_POSITION, return_dtype=pl.Int8)
    once = scores.unique([*KEY, "challenger_version"], keep="any").select(
        *KEY,
        "challenger_version",
        pl.col("challenger_score").alias("challenger_probability"),
        decided.alias("challenger_decided"),
    )
    return live.join(once, on=KEY, how="inner", maintain_order="left")


def as_tested(lake: Lake, window: Window, live: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Rows of `served` that a training's test would have kept: without customers who were known to be
    defrauded, and so blocked, by the midnight before.
    """
    reach = timedelta(days=TRAIN_DAYS + window.delay_days)
    earlier = _predictions(lake, (window.first - reach, window.first - timedelta(days=1)), [*KEY, "ts_ms"])
    start_ms = window.start_ms - int(reach.total_seconds()) * 1000
    split = Split(start_ms, window.start_ms, window.start_ms, window.end_ms)
    features = pl.concat([earlier.unique(KEY), live.drop("is_fraud")], how="diagonal")
    return TrainingData(features, labels, split, window.as_of_ms).test_rows()
