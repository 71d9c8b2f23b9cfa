"""Erases a customer from every store, in an order that lets a killed erasure be done again.

The tombstone comes first: from then on nothing of the customer's gets into lake and warehouse any more. Facts
follow before the lake, which knows where refused messages stood; models are marked before their snapshots
lose rows. Each step finds for itself what there still is, so that to repeat all of it is to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.erasure import until
from bdp_assets.ingest.erased import bury
from bdp_assets.operations.erasure import audit, history, lists, models, spool, store, topics, warehouse
from bdp_assets.operations.erasure import lake as tables
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.operations.erasure.tombstones import publish_tombstones
from bdp_assets.operations.erasure.topics import Expiry
from bdp_assets.settings import Settings

Step = tuple[str, int]
"""What was done, and to how many things; zero: there was nothing left to do."""


@dataclass(frozen=True)
class Found:
    """What there is of a customer now, by store: names and numbers of rows, keys, entries, files."""

    lake: Mapping[str, tuple[int, int]]
    """Rows, and old files that have more of them."""
    warehouse: Mapping[str, int]
    store_keys: int
    list_entries: int
    models: Sequence[str]
    """Versions whose snapshots will lose rows."""
    spool_files: int
    topics: Sequence[Expiry]
    last_erased: datetime | None


def look(settings: Settings, customer: Customer) -> Found:
    """Changes nothing. Raises what `erase` raises."""
    in_lake = tables.find(Lake.of(settings), customer)
    return Found(
        lake={name: (sum(found.rows.values()), len(found.old_files)) for name, found in in_lake.items()},
        warehouse=warehouse.find(settings, customer),
        store_keys=store.find(settings, customer),
        list_entries=lists.find(settings, customer),
        models=models.find(settings, in_lake),
        spool_files=spool.find(settings, customer),
        topics=topics.expiries(settings),
        last_erased=audit.completed_at(settings, customer),
    )


def erase(
    settings: Settings, customer: Customer, reached: Callable[[str], None] = lambda step: None
) -> Sequence[Step]:
    """Erase, and keep in the audit that it was done. `reached` is told of each step that is done.

    Raises WarehouseUnavailable, WarehouseRefused, StoreUnavailable, RegistryUnavailable, LakeBusy,
    Problem. After any of them, or a kill: erase again.
    """
    done = []
    for step, things in _steps(settings, Lake.of(settings), customer):
        audit.note(settings, customer, step, things)
        done.append((step, things))
        reached(step)
    return done


def _steps(settings: Settings, lake: Lake, customer: Customer) -> Iterator[Step]:
    bury(lake, customer.hashed, until(time.time_ns() // 1_000_000))
    publish_tombstones(settings, lake)
    yield audit.BEGUN, 0
    yield "lists", lists.erase(settings, customer)
    facts = warehouse.erase(settings, customer, tables.letters(lake, customer))
    yield "warehouse", sum(facts.values())
    marked, broken_up = models.erase(settings, tables.find(lake, customer))
    yield "models marked", marked
    yield "model examples", broken_up
    for table, rows, old_files in tables.erase(lake, customer):
        yield f"lake.{table}", rows
        yield f"lake.{table}: old files", old_files
    yield "online store", store.erase(settings, customer)
    yield "Dagster's events", history.erase(settings, customer)
    yield audit.COMPLETE, 0
