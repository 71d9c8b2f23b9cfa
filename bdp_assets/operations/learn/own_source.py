"""Lesson 4: a source of the learner's was read, its good rows decided and its bad one refused."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.clients.postgres import session
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources import entry
from bdp_assets.operations.dead_letters.listing import letters
from bdp_assets.operations.dead_letters.query import Filter
from bdp_assets.operations.ingest.positions import Positions
from bdp_assets.operations.learn.decided import decision
from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.settings import Settings

SOURCE = "market"
ROWS = {"market-1": "C000101", "market-2": "C000102", "market-3": "C000103"}


def look(settings: Settings) -> Iterator[Missing]:
    """Raises WarehouseUnavailable, KafkaRefused, StoreUnavailable."""
    try:
        entry.load(settings, SOURCE)
    except MappingError as error:
        yield Missing(str(error), 2)
        return
    with session(settings) as connection:
        is_read = bool(Positions(connection, SOURCE).known())
    if not is_read:
        yield Missing(f"Nothing of the source {SOURCE} was sent.", 4)
        return
    undecided = [row for row, customer in ROWS.items() if decision(settings, customer, row) is None]
    if undecided:
        yield Missing(f"Not decided, or not landed yet: {', '.join(undecided)}.", 4)
    refused, _ = letters(settings, Filter(source_topic=f"source:{SOURCE}"), 1)
    if not refused:
        yield Missing("No row was refused: the file needs the one with an amount below zero.", 1)
