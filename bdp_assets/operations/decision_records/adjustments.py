"""What took transactions back: refunds and reversals beside their originals, from the warehouse."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bdp_assets.clients.postgres import as_objects, session
from bdp_assets.contracts.records import AdjustmentType
from bdp_assets.operations.decision_records.finding import Wanted
from bdp_assets.settings import Settings

_COLUMNS = "customer_id, adjustment_id, type, original_transaction_id, amount_minor, occurred_at"
_OF_ORIGINAL = f"""
    SELECT {_COLUMNS} FROM warehouse.adjustments
    WHERE original_transaction_id = %(transaction_id)s
      AND (%(customer_id)s::text IS NULL OR customer_id = %(customer_id)s)
    ORDER BY occurred_at, adjustment_id
"""  # noqa: S608 - names of our own
_UNKNOWN = f"""
    SELECT {_COLUMNS} FROM warehouse.adjustment_states WHERE original_unknown
    ORDER BY occurred_at DESC, customer_id, adjustment_id LIMIT %s
"""  # noqa: S608 - names of our own


@dataclass(frozen=True)
class Taken:
    """One adjustment. `amount_minor`: in the original's currency; None: all of it."""

    customer_id: str
    adjustment_id: str
    type: AdjustmentType
    original_transaction_id: str
    amount_minor: int | None
    occurred_at: datetime


def adjustments_of(settings: Settings, wanted: Wanted) -> Sequence[Taken]:
    """Those of one transaction, in order. Raises WarehouseUnavailable."""
    with session(settings) as connection:
        return as_objects(connection, Taken, _OF_ORIGINAL, wanted._asdict())


def of_unknown_originals(settings: Settings, most: int) -> Sequence[Taken]:
    """The latest ones whose transaction has no decision in the warehouse. Raises WarehouseUnavailable."""
    with session(settings) as connection:
        return as_objects(connection, Taken, _UNKNOWN, [most])
