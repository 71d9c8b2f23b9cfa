"""Decision records in the lake, whole: with the features that they were decided on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime

import msgspec
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE, records_of
from bdp_assets.contracts.records import Prediction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import rows

TABLE = "predictions"
KEY = ("customer_id", "transaction_id")
API = "api"

Days = tuple[date, date]
_Served = Mapping[tuple[str, str, int], Mapping[str, float]]
"""Features by customer, transaction and apply sequence."""


def records(lake: Lake, which: pl.Expr, days: Days | None = None) -> list[Prediction]:
    """Decisions that match, of those days; one for each transaction."""
    frame = rows(lake, TABLE, None, days, which).unique(KEY, keep="first", maintain_order=True)
    return _whole(lake, records_of(frame, Prediction))


def sample(lake: Lake, count: int, days: int) -> list[Prediction]:
    """Up to `count` decisions of the latest `days` days that have any; of the same lake the same ones."""
    span = _latest(lake, days)
    if span is None:
        return []
    ids = rows(lake, TABLE, ["transaction_id"], span)
    chosen = ids.sort(pl.col("transaction_id").hash(seed=0)).head(count)["transaction_id"]
    return records(lake, pl.col("transaction_id").is_in(chosen.implode()), span)[:count]


def day_of(record: Prediction) -> date:
    """Where its row lies."""
    return datetime.fromtimestamp(record.ts_ms / 1000, UTC).date()


def _latest(lake: Lake, days: int) -> Days | None:
    if not lake.exists(TABLE):
        return None
    there: list[date] = lake.scan(TABLE).select(pl.col(EVENT_DATE).unique()).collect()[EVENT_DATE].to_list()
    latest = sorted(there)[-days:]
    return (latest[0], latest[-1]) if latest else None


def _whole(lake: Lake, found: Sequence[Prediction]) -> list[Prediction]:
    """With the features that history's decisions leave in `enriched`, as do those before they were kept.

    Not the API's: it may have seen its merchants a moment before the stream did.
    """
    bare = [one for one in found if not one.features and one.decided_by != API]
    served = _served(lake, bare) if bare else {}
    return [
        one if one.features else msgspec.structs.replace(one, features=dict(served.get(_place(one), {})))
        for one in found
    ]


def _served(lake: Lake, bare: Sequence[Prediction]) -> _Served:
    days = [day_of(one) for one in bare]
    ids = [one.transaction_id for one in bare]
    ours = (pl.col("catalog_version") == CATALOG.version) & pl.col("transaction_id").is_in(ids)
    frame = rows(lake, "enriched", None, (min(days), max(days)), ours)
    return {
        (row["customer_id"], row["transaction_id"], row["apply_seq"]): {n: row[n] for n in CATALOG.names}
        for row in frame.iter_rows(named=True)
    }


def _place(record: Prediction) -> tuple[str, str, int]:
    return record.customer_id, record.transaction_id, record.apply_seq
