"""The warehouse's part: facts stay, under names that nobody can lead back; figures stay true by that.

The customer becomes a random member `erased-...`, each transaction gets a random id of its own, the same in
all tables; neither is kept with the old one anywhere. What is about a refused message goes. One PostgreSQL
transaction, in turn with the loads, does all of it or nothing.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager

import polars as pl

from bdp_assets.clients.postgres import Connection, Warehouse
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.operations.warehouse.loading import turn
from bdp_assets.settings import Settings

PSEUDONYM = "erased-"
_PREFIX = {"prefix": PSEUDONYM}

WITH_TRANSACTIONS = (
    *("transactions", "predictions", "decisions", "labels", "alerts"),
    *("window_late", "window_transactions"),
)
"""Tables with a customer_id and a transaction_id."""

_OWN_IDS = " UNION ".join(
    [
        *(
            f'SELECT transaction_id COLLATE "C" FROM warehouse.{table} WHERE customer_id = %(id)s'  # noqa: S608
            for table in WITH_TRANSACTIONS
        ),
        'SELECT original_transaction_id COLLATE "C" FROM warehouse.adjustments WHERE customer_id = %(id)s',
    ]
)
_MAP = f"""
    CREATE TEMPORARY TABLE renamed ON COMMIT DROP AS
    SELECT transaction_id, %(prefix)s || gen_random_uuid() AS pseudonym FROM ({_OWN_IDS}) AS own
"""  # noqa: S608 - names of our own
_MEMBER = """
    INSERT INTO warehouse.customers (customer_id, first_at, last_at)
    SELECT %(pseudonym)s, first_at, last_at FROM warehouse.customers WHERE customer_id = %(id)s
"""
_RENAME = """
    UPDATE warehouse.{table} AS fact SET customer_id = %(pseudonym)s, transaction_id = renamed.pseudonym
    FROM renamed WHERE fact.customer_id = %(id)s AND fact.transaction_id = renamed.transaction_id
"""
_RENAME_ADJUSTMENTS = """
    UPDATE warehouse.adjustments AS fact
    SET customer_id = %(pseudonym)s, adjustment_id = %(prefix)s || gen_random_uuid(),
        original_transaction_id = renamed.pseudonym
    FROM renamed
    WHERE fact.customer_id = %(id)s AND fact.original_transaction_id = renamed.transaction_id
"""
_RENAME_ALERTS = """
    UPDATE warehouse.alerts SET alert_id = %(prefix)s || gen_random_uuid() WHERE customer_id = %(id)s
"""
_FORGET_MEMBER = "DELETE FROM warehouse.customers WHERE customer_id = %(id)s"
_AT = """(source_topic, source_partition, source_offset, received_at)
    = (%(source_topic)s, %(source_partition)s, %(source_offset)s, to_timestamp(%(received_ms)s / 1000.0))"""
_FORGET_REFUSED = f"DELETE FROM warehouse.quarantined WHERE {_AT}"  # noqa: S608
# The letter itself stays counted: `bdp verify` and its replays name it by its place.
_FORGET_CARDS = f"""
    UPDATE warehouse.dead_letters SET pan_hashes = '{{}}' WHERE {_AT} AND pan_hashes <> '{{}}'
"""  # noqa: S608
_COUNT = "SELECT count(*) FROM warehouse.{table} WHERE customer_id = %(id)s"
TABLES = (*WITH_TRANSACTIONS, "adjustments", "customers")


def find(settings: Settings, customer: Customer) -> Mapping[str, int]:
    """Rows by table. Raises WarehouseUnavailable."""
    with _alone(settings) as connection:
        return _counted(connection, customer)


def erase(settings: Settings, customer: Customer, letters: pl.DataFrame) -> Mapping[str, int]:
    """Rows by table that have other names now, or are gone. `letters`: see `lake.letters`.

    Raises WarehouseUnavailable, WarehouseRefused.
    """
    values = {"id": customer.id, "pseudonym": PSEUDONYM + secrets.token_hex(12), **_PREFIX}
    with _alone(settings) as connection:
        counts = dict(_counted(connection, customer))
        if counts:
            _rename(connection, values)
        for name, statement in (("quarantined", _FORGET_REFUSED), ("dead_letters", _FORGET_CARDS)):
            forgotten = sum(connection.execute(statement, row).rowcount for row in letters.to_dicts())
            counts |= {name: forgotten} if forgotten else {}
        # The planner's statistics have samples of values. To a login that is no owner it is a warning.
        for table in counts:
            connection.execute(f"ANALYZE warehouse.{table}")
    return counts


@contextmanager
def _alone(settings: Settings) -> Iterator[Connection]:
    """A transaction in which no load works."""
    with closing(Warehouse(settings)) as warehouse, turn(warehouse) as connection:
        yield connection


def _counted(connection: Connection, customer: Customer) -> dict[str, int]:
    found = {}
    for table in TABLES:
        ((rows,),) = connection.execute(_COUNT.format(table=table), {"id": customer.id}).fetchall()
        if rows:
            found[table] = int(rows)
    return found


def _rename(connection: Connection, values: Mapping[str, str]) -> None:
    for statement in (_MAP, _MEMBER, _RENAME_ALERTS):
        connection.execute(statement, values)
    for table in WITH_TRANSACTIONS:
        connection.execute(_RENAME.format(table=table), values)
    connection.execute(_RENAME_ADJUSTMENTS, values)
    connection.execute(_FORGET_MEMBER, values)
