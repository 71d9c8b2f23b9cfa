"""Loads the warehouse's facts from the lake, day by day; a day again changes nothing that did not change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import connect, upsert
from bdp_assets.ingest.tables import TABLES, rows
from bdp_assets.settings import Settings


def _time(column: str) -> pl.Expr:
    return pl.from_epoch(column, time_unit="ms").dt.replace_time_zone("UTC")


@dataclass(frozen=True)
class Fact:
    """A table of the warehouse: `columns` are those of the lake's table that keep their name."""

    table: str
    source: str
    key: tuple[str, ...]
    columns: tuple[str, ...]
    times: Mapping[str, str]
    """Column of type timestamptz -> the lake's column of epoch milliseconds."""
    revision: str | None = None
    """Of rows with the same key, the one where this column is highest stands."""

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        # A table that was written before a column was thought of does not have it: null.
        known = pl.concat([pl.DataFrame(schema=TABLES[self.source]), frame], how="diagonal")
        ordered = known.sort(self.revision, nulls_last=False) if self.revision else known
        return ordered.select(*self.columns, **{name: _time(source) for name, source in self.times.items()})


FACTS = (
    Fact(
        table="warehouse.decisions",
        source="predictions",
        key=("customer_id", "transaction_id"),
        columns=(
            *("customer_id", "transaction_id", "merchant_id", "amount_base_minor", "fraud_probability"),
            *("decision", "reasons", "model_name", "model_version", "policy_version", "catalog_version"),
            *("apply_seq", "degraded", "decided_by", "rules_version", "severity"),
            *("list_hits", "decision_without_lists"),
        ),
        times={"occurred_at": "ts_ms", "decided_at": "decided_at_ms"},
    ),
    Fact(
        table="warehouse.alerts",
        source="alerts",
        key=("alert_id",),
        columns=(
            *("alert_id", "customer_id", "transaction_id", "severity", "decision", "fraud_probability"),
            *("amount_at_risk_minor", "reasons", "revision", "transactions"),
        ),
        times={"occurred_at": "ts_ms", "first_at": "first_ms", "last_at": "last_ms"},
        revision="revision",
    ),
    Fact(
        table="warehouse.labels",
        source="labels",
        key=("customer_id", "transaction_id", "known_at"),
        columns=("customer_id", "transaction_id", "is_fraud", "merchant_id"),
        times={"known_at": "known_at_ms", "occurred_at": "ts_ms"},
    ),
    Fact(
        table="warehouse.adjustments",
        source="adjustments",
        key=("customer_id", "adjustment_id"),
        columns=("customer_id", "adjustment_id", "type", "original_transaction_id", "amount_minor"),
        times={"occurred_at": "ts_ms"},
    ),
    Fact(
        table="warehouse.quarantined",
        source="quarantined",
        key=("source_topic", "source_partition", "source_offset", "received_at"),
        columns=("source_topic", "source_partition", "source_offset", "error", "field", "message", "masked"),
        times={"received_at": "received_ms"},
    ),
)


def load(settings: Settings, lake: Lake, first: date, last: date) -> pl.DataFrame:
    """Load the days first..last of every fact, in one transaction. Raises WarehouseUnavailable.

    Returns a row a fact: table, rows (in the lake), changed (new or different in the warehouse).
    """
    counts = []
    with connect(settings) as connection:
        for fact in FACTS:
            frame = fact.of(rows(lake, fact.source, None, (first, last)))
            counts.append((fact.table, len(frame), upsert(connection, fact.table, frame, fact.key)))
    return pl.DataFrame(counts, ["table", "rows", "changed"], orient="row")
