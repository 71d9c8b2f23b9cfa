"""What nightly runs leave for dashboards, by the code that keeps it: quality, drift, performance."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import polars as pl

from bdp_assets.decisions.tuning import COSTS
from bdp_assets.features.catalog import CATALOG
from bdp_assets.monitoring.drift.counting import FRAUD, SCORE
from bdp_assets.monitoring.drift.judgement import COLUMNS, KINDS
from bdp_assets.monitoring.drift.segments import EVERYTHING
from bdp_assets.monitoring.performance.decay import Decay
from bdp_assets.monitoring.performance.segments import ALL, SEGMENTS
from bdp_assets.monitoring.performance.window import Window
from bdp_assets.monitoring.quality.findings import Check, Finding
from bdp_assets.operations.drift import storing
from bdp_assets.operations.drift.days import DriftOfDay
from bdp_assets.operations.performance import metrics, tables
from bdp_assets.operations.performance.figures import CHALLENGER, CHAMPION, SCHEMA
from bdp_assets.operations.performance.measuring import Performance
from bdp_assets.operations.quality.catalog import WATCHED
from bdp_assets.operations.quality.examination import Examination
from bdp_assets.operations.quality.keeping import keep
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.warehouse import world

AS_OF = world.LAST
VERSION = "1"
"""Of the model that serves."""


def leave(settings: Settings) -> None:
    """As the assets of Dagster do: tables in the warehouse, and files that the exporter shows."""
    now = datetime.now(UTC)
    keep(settings, _quality(), now)
    drift = _drift()
    storing.store(settings, drift)
    storing.publish(settings, drift)
    performance = _performance()
    tables.keep(settings, performance)
    metrics.publish(settings, performance)


def _quality() -> Examination:
    findings = [
        Finding(watched.table, AS_OF, check, "rows", checked=100, failed=int(check is Check.NULLS))
        for watched in WATCHED
        for check in Check
    ]
    return Examination(findings, hours=[])


def _drift() -> DriftOfDay:
    rows = [
        {
            "kind": KINDS.get(quantity, "feature"),
            "quantity": quantity,
            "segment": EVERYTHING,
            "rows": 500,
            **{name: 0.01 for name, kind in COLUMNS.items() if kind == pl.Float64},
            "drifted": quantity == SCORE,
        }
        for quantity in (*CATALOG.names, SCORE, FRAUD)
    ]
    comparisons = pl.DataFrame(rows, schema=COLUMNS).with_columns(event_date=pl.lit(AS_OF))
    return DriftOfDay(VERSION, AS_OF, AS_OF, 500, comparisons, ())


def _performance() -> Performance:
    members = [(ALL, ALL), *((one.name, member) for one in SEGMENTS for member in one.members)]
    numbers = {name: 7 for name, kind in SCHEMA.items() if kind == pl.Int64()}
    rates = {name: 0.5 for name, kind in SCHEMA.items() if kind == pl.Float64()}
    rows = [
        {"role": role, "model_version": VERSION, "segment": segment, "member": member, **numbers, **rates}
        for role in (CHAMPION, CHALLENGER)
        for segment, member in members
    ]
    decay = Decay(
        AS_OF, VERSION, registered=0.6, matured=0.5, low=0.4, high=0.6, bound=0.2, transactions=9, frauds=7
    )
    return Performance(Window(AS_OF, 7), COSTS, pl.DataFrame(rows, schema=SCHEMA), decays=[decay])


def days() -> tuple[date, date]:
    """The range that all of it is in, and live traffic, too."""
    return date(2025, 12, 1), datetime.now(UTC).date() + timedelta(days=1)
