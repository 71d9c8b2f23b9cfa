"""The lists' part: an entry about the customer ends, is about nobody in the audit, and says no reason."""

from __future__ import annotations

import secrets

from bdp_assets.clients.postgres import session
from bdp_assets.contracts.records import ListKind, ListName
from bdp_assets.decisions.live_lists import LiveLists
from bdp_assets.decisions.publication import channel
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.operations.erasure.warehouse import PSEUDONYM
from bdp_assets.operations.lists import changes
from bdp_assets.operations.lists.wishes import Place, Why
from bdp_assets.settings import Settings

_WHY = Why("the customer is erased", "bdp erase")
_FORGET = "SELECT warehouse.forget_listed(%s, %s)"


def find(settings: Settings, customer: Customer) -> int:
    """Entries about the customer, in force or not. Raises WarehouseUnavailable."""
    return sum(
        entry.kind == ListKind.CUSTOMER and entry.id == customer.id for entry in changes.entries(settings)
    )


def erase(settings: Settings, customer: Customer) -> int:
    """Lines of the audit that were changed. Raises WarehouseUnavailable, StoreUnavailable, Problem."""
    for entry in changes.entries(settings):
        if entry.kind == ListKind.CUSTOMER and entry.id == customer.id and entry.is_in_force:
            changes.remove(settings, Place(ListName(entry.list), ListKind.CUSTOMER, customer.id), _WHY)
    with session(settings) as connection:
        [(changed,)] = connection.execute(
            _FORGET, [customer.id, PSEUDONYM + secrets.token_hex(12)]
        ).fetchall()
        connection.execute("ANALYZE warehouse.list_changes")  # its statistics have samples of values
    # Also where nothing was changed: what was killed before may have told nobody.
    changes.publish_lists(settings)
    if settings.lists_file.exists():
        LiveLists(channel(settings), settings.lists_file).look()
    return int(changed)
