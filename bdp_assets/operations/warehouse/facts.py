"""The facts: which columns of which table of the lake become which table of the warehouse."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.tables import TABLES, rows


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
    values: Mapping[str, pl.Expr] = field(default_factory=dict)
    """Column -> what it is made from."""
    revision: str | None = None
    """Of rows with the same key, the one where this column is highest stands."""

    @property
    def needed(self) -> list[str]:
        """Columns of the lake's table: most of its bytes are features, which no fact has."""
        made = [name for value in self.values.values() for name in value.meta.root_names()]
        return sorted({*self.columns, *self.times.values(), *made})

    def read(self, lake: Lake, first: date, last: date) -> pl.DataFrame:
        """Rows of the days first..last; a table that was written before a column was thought of lacks it."""
        if not lake.exists(self.source):
            return self.of(pl.DataFrame(schema=TABLES[self.source]))
        there = lake.scan(self.source).collect_schema().names()
        return self.of(
            rows(lake, self.source, [name for name in self.needed if name in there], (first, last))
        )

    def of(self, frame: pl.DataFrame) -> pl.DataFrame:
        """Rows of the lake as rows of this table; a column that they lack is null."""
        schema = {name: TABLES[self.source][name] for name in self.needed}
        known = pl.concat([pl.DataFrame(schema=schema), frame], how="diagonal")
        times = {name: _time(source) for name, source in self.times.items()}
        made = known.select(*self.columns, **times, **self.values)
        return made.sort(self.revision, nulls_last=False) if self.revision else made


_OCCURRED = {"occurred_at": "ts_ms"}
_TRANSACTION = ("customer_id", "transaction_id", "occurred_at")
_SCORED = (*_TRANSACTION, "role", "model_version", "policy_version")

TRANSACTIONS = Fact(
    table="warehouse.transactions",
    source="enriched",
    key=_TRANSACTION,
    columns=(
        *("customer_id", "transaction_id", "merchant_id", "merchant_category", "channel", "country"),
        *("currency", "amount_minor", "amount_base_minor", "rates_version", "door"),
    ),
    times=_OCCURRED,
)
CHAMPION = Fact(
    table="warehouse.predictions",
    source="predictions",
    key=_SCORED,
    columns=(
        *("customer_id", "transaction_id", "model_version", "policy_version", "catalog_version"),
        *("fraud_probability", "decision"),
    ),
    times=_OCCURRED,
    values={"role": pl.lit("champion")},
)
CHALLENGER = Fact(
    table="warehouse.predictions",
    source="shadow_scores",
    key=_SCORED,
    columns=("customer_id", "transaction_id", "catalog_version"),
    times=_OCCURRED,
    values={
        "role": pl.lit("challenger"),
        "model_version": pl.col("challenger_version"),
        "policy_version": pl.col("challenger_policy_version"),
        "fraud_probability": pl.col("challenger_score"),
        "decision": pl.col("challenger_decision"),
    },
)
DECISIONS = Fact(
    table="warehouse.decisions",
    source="predictions",
    key=_TRANSACTION,
    columns=(
        *("customer_id", "transaction_id", "merchant_id", "amount_base_minor", "fraud_probability"),
        *("decision", "reasons", "model_name", "model_version", "policy_version", "catalog_version"),
        *("apply_seq", "degraded", "decided_by", "rules_version", "severity"),
        *("list_hits", "decision_without_lists"),
    ),
    times={**_OCCURRED, "decided_at": "decided_at_ms"},
)
ALERTS = Fact(
    table="warehouse.alerts",
    source="alerts",
    key=("alert_id",),
    columns=(
        *("alert_id", "customer_id", "transaction_id", "severity", "decision", "fraud_probability"),
        *("amount_at_risk_minor", "reasons", "revision", "transactions"),
    ),
    times={**_OCCURRED, "first_at": "first_ms", "last_at": "last_ms"},
    revision="revision",
)
LABELS = Fact(
    table="warehouse.labels",
    source="labels",
    key=("customer_id", "transaction_id", "known_at"),
    columns=("customer_id", "transaction_id", "is_fraud", "merchant_id"),
    times={"known_at": "known_at_ms", "occurred_at": "ts_ms"},
)
ADJUSTMENTS = Fact(
    table="warehouse.adjustments",
    source="adjustments",
    key=("customer_id", "adjustment_id"),
    columns=("customer_id", "adjustment_id", "type", "original_transaction_id", "amount_minor"),
    times=_OCCURRED,
    revision="occurred_at",  # The lake gives rows in no order, and a load the latest month first.
)
QUARANTINED = Fact(
    table="warehouse.quarantined",
    source="quarantined",
    key=("source_topic", "source_partition", "source_offset", "received_at"),
    columns=("source_topic", "source_partition", "source_offset", "error", "field", "message", "masked"),
    times={"received_at": "received_ms"},
)

FACTS = (TRANSACTIONS, CHAMPION, CHALLENGER, DECISIONS, ALERTS, LABELS, ADJUSTMENTS, QUARANTINED)
