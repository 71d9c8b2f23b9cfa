"""Changes of the lists: appended to the warehouse, which is the truth, then published to who decides.

`warehouse.list_changes` is the audit; what is listed follows from it. One lock puts changes, and what is
published, in one order.
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from bdp_assets.clients.postgres import Connection, as_objects, session
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.contracts.records import ListKind, ListName
from bdp_assets.decisions.list_channel import LISTS
from bdp_assets.decisions.lists import ListEntry, PublishedLists
from bdp_assets.decisions.publication import channel
from bdp_assets.operations.lists.wishes import Place, Why
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

MOST = 20_000
"""Entries in force: every process that decides reads them whole, while its calls wait for the interpreter."""

_LOCK = "SELECT pg_advisory_xact_lock(hashtextextended('bdp.lists', 0))"
_APPEND = """
    INSERT INTO warehouse.list_changes (action, entry_id, list, kind, id, reason, expires_at, changed_by)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_ENTRIES = """
    SELECT added.entry_id, added.list, added.kind, added.id, added.reason, added.changed_at AS added_at,
           added.changed_by AS added_by, added.expires_at, removed.changed_at AS removed_at,
           coalesce(added.expires_at <= now(), false) AS expired
    FROM warehouse.list_changes AS added
    LEFT JOIN warehouse.list_changes AS removed
        ON removed.entry_id = added.entry_id AND removed.action = 'remove'
    WHERE added.action = 'add' ORDER BY added.change_id
"""
_CHANGES = "SELECT * FROM warehouse.list_changes ORDER BY change_id"
_NOW_US = "SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint"

_log = logging.getLogger("bdp.lists")


@dataclass(frozen=True)
class Entry:
    """An entry and what became of it."""

    entry_id: str
    list: ListName
    kind: ListKind
    id: str
    reason: str
    added_at: datetime
    added_by: str
    expires_at: datetime | None
    removed_at: datetime | None
    expired: bool

    @property
    def is_in_force(self) -> bool:
        return self.removed_at is None and not self.expired

    def is_at(self, place: Place) -> bool:
        return (self.list, self.kind, self.id) == (place.list, place.kind, place.id)


@dataclass(frozen=True)
class Change:
    """One line of the audit."""

    change_id: int
    action: str
    """`add` or `remove`."""
    entry_id: str
    list: ListName
    kind: ListKind
    id: str
    reason: str
    expires_at: datetime | None
    changed_at: datetime
    changed_by: str


def add(settings: Settings, place: Place, why: Why, expires_at: datetime | None) -> str:
    """List somebody, and tell all who decide; the entry's id.

    Raises WarehouseUnavailable; Problem where there is such an entry already, or nobody could be told.
    """
    entry_id = secrets.token_hex(6)
    with _alone(settings) as connection:
        in_force = _in_force(connection)
        for entry in in_force:
            if entry.is_at(place):
                raise Problem(
                    f"That {place.kind} is on the {place.list} list already (entry {entry.entry_id}).",
                    "Remove it first if it shall end at another time.",
                )
        if len(in_force) >= MOST:
            raise Problem(
                f"The lists have {MOST:,} entries in force, and can not have more.",
                "Remove some, or let them end; what is true of so many is for a rule to say (docs/rules.md).",
            )
        _append(connection, "add", entry_id, place, why, expires_at)
    _publish_change(settings)
    return entry_id


def remove(settings: Settings, place: Place, why: Why) -> str:
    """Take somebody off a list, and tell all who decide; the id of the entry. Raises as `add`."""
    with _alone(settings) as connection:
        found = [entry for entry in _in_force(connection) if entry.is_at(place)]
        if not found:
            raise Problem(
                f"That {place.kind} is not on the {place.list} list.",
                "`bdp lists show --all` shows who was, and until when.",
            )
        [entry] = found
        _append(connection, "remove", entry.entry_id, place, why, entry.expires_at)
    _publish_change(settings)
    return entry.entry_id


def entries(settings: Settings) -> Sequence[Entry]:
    """All there ever were, in the order they were made. Raises WarehouseUnavailable."""
    with session(settings) as connection:
        return _entries(connection)


def audit(settings: Settings) -> Sequence[Change]:
    """Every change, in order. Raises WarehouseUnavailable."""
    with session(settings) as connection:
        return as_objects(connection, Change, _CHANGES, ())


def publish_lists(settings: Settings) -> PublishedLists:
    """Put what is listed where all who decide look.

    Raises WarehouseUnavailable, StoreUnavailable; Problem where later lists are there already.
    """
    with _alone(settings) as connection:
        now_us = connection.execute(_NOW_US).fetchall()[0][0]
        listed = [_published(entry) for entry in _in_force(connection)]
        lists = PublishedLists(now_us, listed)
        # While the lock is held: nobody's older reading can overtake it.
        if LISTS.publish(channel(settings), lists) != lists.revision:
            raise Problem(
                "The online store has lists that were published later than now.",
                "Put PostgreSQL's clock right, or point BDP_REDIS_URL at the store of this warehouse.",
            )
    _log.info("lists published", extra={"entries": len(listed), "revision": now_us})
    return lists


def _publish_change(settings: Settings) -> None:
    try:
        publish_lists(settings)
    except StoreUnavailable as error:
        raise Problem(
            f"The change is kept, but nobody who decides knows of it yet: {error}.",
            "`bdp lists publish` tells them as soon as the store is back.",
        ) from error


@contextmanager
def _alone(settings: Settings) -> Iterator[Connection]:
    """A session in which nobody else changes or publishes."""
    with session(settings) as connection:
        connection.execute(_LOCK)
        yield connection


def _entries(connection: Connection) -> Sequence[Entry]:
    return as_objects(connection, Entry, _ENTRIES, ())


def _in_force(connection: Connection) -> Sequence[Entry]:
    return [entry for entry in _entries(connection) if entry.is_in_force]


def _append(  # noqa: PLR0913, PLR0917 - the parts of a change
    connection: Connection, action: str, entry_id: str, place: Place, why: Why, expires_at: datetime | None
) -> None:
    whom = (place.list, place.kind, place.id)
    connection.execute(_APPEND, [action, entry_id, *whom, why.reason, expires_at, why.by])
    # The entry's own id: whom it is about is for the audit alone.
    _log.info("list changed", extra={"action": action, "list": place.list, "entry": entry_id})


def _published(entry: Entry) -> ListEntry:
    ends = entry.expires_at
    return ListEntry(
        entry_id=entry.entry_id,
        list=ListName(entry.list),
        kind=ListKind(entry.kind),
        id=entry.id,
        expires_at_ms=None if ends is None else int(ends.timestamp() * 1000),
    )
