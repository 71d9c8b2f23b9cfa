"""Where a decision record is: in the online store, else in the lake; the warehouse knows its day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NamedTuple

import msgspec
import polars as pl

from bdp_assets.clients import redis
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import WarehouseUnavailable, as_objects, session
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.codec import decode_prediction
from bdp_assets.contracts.records import Prediction
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.decision_records.tables import day_of, records
from bdp_assets.settings import Settings

_IN_WAREHOUSE = """
    SELECT customer_id, transaction_id, merchant_id, amount_base_minor, fraud_probability, decision, reasons,
           model_name, model_version, policy_version, catalog_version, apply_seq, degraded, decided_by,
           rules_version, severity, decision_without_lists,
           coalesce(list_hits, '[]'::jsonb) AS list_hits, '{}'::jsonb AS features,
           round(extract(epoch FROM occurred_at) * 1000)::bigint AS ts_ms,
           round(extract(epoch FROM decided_at) * 1000)::bigint AS decided_at_ms
    FROM warehouse.decisions
    WHERE transaction_id = %(transaction_id)s
      AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
"""

_UNKNOWN = (
    "No decision of that transaction is in the warehouse or the lake, nor in the online store, which is "
    "asked where --customer names whose it is. What was decided just now lands within minutes."
)


class DecisionUnknown(LookupError):  # noqa: N818 - read as what it is
    """No decision of that transaction is kept here, or several customers have one."""


class Found(NamedTuple):
    """A decision record, and where it was: `online store`, `lake`, or `warehouse`, which has no features."""

    record: Prediction
    where: str


class Wanted(NamedTuple):
    """A transaction; its id is unique for a customer."""

    transaction_id: str
    customer_id: str | None

    @property
    def rows(self) -> pl.Expr:
        named = pl.col("transaction_id") == self.transaction_id
        return named if self.customer_id is None else named & (pl.col("customer_id") == self.customer_id)


def find(settings: Settings, wanted: Wanted) -> Found:
    """Look in the online store, the warehouse and the lake, one after the other.

    The store is asked for a named customer's transactions only. What is down is passed over, and named where
    nothing is found. Raises DecisionUnknown.
    """
    away: list[str] = []
    with _passed_over(away):
        kept = _kept_online(settings, wanted)
        if kept is not None:
            return Found(kept, "online store")
    facts: list[Prediction] = []
    with _passed_over(away):
        facts = _in_warehouse(settings, wanted)
    whole = _in_lake(Lake.of(settings), wanted, facts)
    return Found(_only(whole or facts, away), "lake" if whole else "warehouse")


@contextmanager
def _passed_over(away: list[str]) -> Iterator[None]:
    """What is down adds its sentence."""
    try:
        yield
    except (StoreUnavailable, WarehouseUnavailable) as error:
        away.append(str(error))


def _kept_online(settings: Settings, wanted: Wanted) -> Prediction | None:
    if wanted.customer_id is None:
        return None
    store = OnlineStore(redis.connect(settings))
    record = store.decision(wanted.customer_id, wanted.transaction_id)
    return None if record is None else decode_prediction(record)


def _in_warehouse(settings: Settings, wanted: Wanted) -> list[Prediction]:
    """Without features, which it does not have."""
    with session(settings) as connection:
        found = as_objects(connection, dict, _IN_WAREHOUSE, wanted._asdict())
    return msgspec.convert(found, list[Prediction])


def _in_lake(lake: Lake, wanted: Wanted, facts: Sequence[Prediction]) -> list[Prediction]:
    """Of the days that the warehouse names; of all of them where it names none."""
    days = [day_of(fact) for fact in facts]
    return records(lake, wanted.rows, (min(days), max(days)) if days else None)


def _only(found: Sequence[Prediction], away: Sequence[str]) -> Prediction:
    if not found:
        raise DecisionUnknown("\n".join([_UNKNOWN, *away]))
    if len(found) > 1:
        raise DecisionUnknown("Several customers have a transaction of that id: name one with --customer.")
    return found[0]
