"""A source that is a table of a database, in chunks, on from the row where the last run ended.

A position is {cursor, key, rows}: of the last row, as the database writes them, and how many rows are behind.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import ModuleType

from bdp_assets.clients import source_mysql, source_postgresql
from bdp_assets.clients.source_database import Page, SourceTable, Table
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources.chunk import Chunk, Position
from bdp_assets.ingest.sources.entry import Database, Source
from bdp_assets.ingest.sources.frames import columns_of, frame_of, original_of
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import secret_of

PART = ""
"""A table has one part."""
_CLIENTS = {Database.postgresql: source_postgresql, Database.mysql: source_mysql}


def chunks(source: Source, at: Position | None) -> Iterator[Chunk]:
    """What is new. Raises Problem, MappingError, SourceUnavailable, SourceRefused."""
    with _client(source).opened(_url(source), table_of(source)) as table:
        if at is None and table.has_rows_without_place():
            raise MappingError(
                f"{source.table} of source {source.name} has rows without {source.cursor} or "
                f"{source.fields.transaction_id.column}, which would never be read: choose another cursor, "
                "or a view without them."
            )
        end = table.settled_end()
        if end is not None:
            yield from _pages(source, table, at, end)


def table_of(source: Source) -> Table:
    """Rows of one cursor are told apart, and ordered, by the column of their transaction id."""
    key = source.fields.transaction_id.column
    return Table(str(source.table), str(source.cursor), key, tuple(columns_of(source)))


def _pages(source: Source, table: SourceTable, at: Position | None, end: str) -> Iterator[Chunk]:
    after = None if at is None else (str(at["cursor"]), str(at["key"]))
    done = 0 if at is None else int(at["rows"])
    while (page := table.page(after, end, source.batch_rows)).rows:
        after = page.places[-1]
        yield _chunk(source, page, done)
        done += len(page.rows)


def _chunk(source: Source, page: Page, done: int) -> Chunk:
    names = table_of(source).columns
    frame = frame_of(source, [dict(zip(names, row, strict=True)) for row in page.rows])
    cursor, key = page.places[-1]
    rows = done + len(frame)
    position = {"cursor": cursor, "key": key, "rows": rows}
    return Chunk(PART, frame, range(done + 1, rows + 1), original_of(frame), (), position)


def _client(source: Source) -> ModuleType:
    return _CLIENTS[Database(str(source.format))]


def _url(source: Source) -> str:
    variable = str(source.dsn_variable)
    url = secret_of(variable)
    if not url:
        raise Problem(
            f"{variable} is not set, and source {source.name} reads the database that it names.",
            f"Set it to {_client(source).URL}: export {variable}=...",
        )
    return url
