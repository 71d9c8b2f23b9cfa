"""That an erasure took place: when, in which steps, how many things; never whose."""

from __future__ import annotations

from datetime import datetime

from bdp_assets.clients.postgres import session
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.settings import Settings

BEGUN, COMPLETE = "begun", "complete"
_NOTE = "INSERT INTO warehouse.erasures (customer_hash, step, things) VALUES (%s, %s, %s)"
_LAST = "SELECT max(erased_at) FROM warehouse.erasures WHERE customer_hash = %s AND step = %s"


def note(settings: Settings, customer: Customer, step: str, things: int) -> None:
    """Raises WarehouseUnavailable."""
    with session(settings) as connection:
        connection.execute(_NOTE, [customer.hashed, step, things])


def completed_at(settings: Settings, customer: Customer) -> datetime | None:
    """When the customer was last erased; None: never, or not to the end. Raises WarehouseUnavailable."""
    with session(settings) as connection:
        [(last,)] = connection.execute(_LAST, [customer.hashed, COMPLETE]).fetchall()
    return last  # type: ignore[no-any-return]
