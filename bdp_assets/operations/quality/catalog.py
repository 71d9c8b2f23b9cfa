"""What is looked at: the tables of the lake, what they refer to, and which of them have a season."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import polars as pl

from bdp_assets.contracts import topics
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.ingest.tables import SOURCE_COLUMNS

_, _PARTITION, _OFFSET = SOURCE_COLUMNS
IS_REPEAT = pl.col("error").is_in(["duplicate", "conflict"])
"""Of a refused transaction: it came before. How many did is `Check.DUPLICATES`."""
_TRANSACTION = {"customer_id": "customer_id", "transaction_id": "transaction_id"}


@dataclass(frozen=True)
class Reference:
    """Rows of a table refer to rows of the table `to`: column -> its column there."""

    to: str
    columns: Mapping[str, str]
    same_day: bool = True
    """Whether both have the same event date; else the other may have any."""
    where: pl.Expr = field(default_factory=lambda: pl.lit(value=True))
    """The rows of `to` that count."""


@dataclass(frozen=True)
class Watched:
    """A table, whose rows have a time in the column `time_ms`."""

    table: str
    time_ms: str = "ts_ms"
    has_volume: bool = False
    """Whether its rows come by the hours of the week."""
    has_freshness: bool = False
    """Whether some are always on their way."""
    counted: pl.Expr = field(default_factory=lambda: pl.col(EVENT_DATE).is_not_null())
    """The rows, by default all, that volume and freshness are about."""
    audited_key: bool = False
    """Whether the audit before publishing (Pandera) knows its key."""
    key: tuple[str, ...] = ()
    """The key, where the audit does not know it. Rows that lack a part of it are left out."""
    refers: Reference | None = None


_TO_TRANSACTION = Reference("validated", _TRANSACTION)

WATCHED = (
    Watched(
        "raw",
        "received_ms",
        has_volume=True,
        has_freshness=True,
        key=("topic", "partition", "offset"),
    ),
    Watched(
        "validated",
        has_volume=True,
        has_freshness=True,
        # A transaction that is sent twice is validated twice; the second is refused after that.
        key=SOURCE_COLUMNS,
        # History has no messages; its blocking check `transactions_reconciled` counts the rows of its days.
        refers=Reference(
            "raw",
            {_PARTITION: "partition", _OFFSET: "offset"},
            same_day=False,
            where=pl.col("topic") == topics.RAW.name,
        ),
    ),
    Watched("quarantined", "received_ms", has_volume=True, counted=~IS_REPEAT),
    Watched("enriched", has_volume=True, has_freshness=True, audited_key=True, refers=_TO_TRANSACTION),
    Watched("features", audited_key=True, refers=_TO_TRANSACTION),
    Watched("predictions", has_volume=True, has_freshness=True, audited_key=True, refers=_TO_TRANSACTION),
    Watched("scores", audited_key=True, refers=_TO_TRANSACTION),
    Watched("shadow_scores", audited_key=True, refers=_TO_TRANSACTION),
    Watched("alerts", has_volume=True, audited_key=True, refers=_TO_TRANSACTION),
    # A label or an adjustment may be sent again: its key is not unique, and the last one stands.
    Watched(
        "labels",
        "known_at_ms",
        has_volume=True,
        has_freshness=True,
        refers=Reference("validated", _TRANSACTION, same_day=False),
    ),
    Watched(
        "adjustments",
        has_volume=True,
        refers=Reference(
            "validated",
            {"customer_id": "customer_id", "original_transaction_id": "transaction_id"},
            same_day=False,
        ),
    ),
)
