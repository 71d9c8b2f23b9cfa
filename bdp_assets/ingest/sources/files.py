"""A source of files, in chunks: each file on from the row where the last run ended.

A position is {rows, head_bytes, head, size}: how many rows are behind, what the file began with (so that one
that took another's place is told from one that grew), and its size once all of it is behind, else null.
"""

from __future__ import annotations

import glob
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

import msgspec
import polars as pl
import pyarrow.parquet as pq

from bdp_assets.ingest.file_format import FileFormat, compression, file_format
from bdp_assets.ingest.sources.chunk import Chunk, Position, Unreadable
from bdp_assets.ingest.sources.csv_batches import CsvBatches, PlainRows
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.ingest.sources.frames import columns_of, frame_of, original_of, require_columns
from bdp_assets.ingest.sources.lines import head_of, lines, reading
from bdp_assets.ingest.sources.text_rows import Record, Row, json_rows, ndjson_rows
from bdp_assets.runtime.problems import Problem

MOST_JSON_BYTES = 256 * 1024 * 1024
PositionOf = Callable[[str], Position | None]


def chunks(source: Source, position_of: PositionOf, *, growing: bool) -> Iterator[Chunk]:
    """What is new in each file, by name. Raises Problem, MappingError."""
    for file in matching(source):
        yield from _file_chunks(source, file, position_of(file.name), growing=growing)


def matching(source: Source) -> list[Path]:
    """The source's files. Raises Problem when there is none and none may come, or two share a name."""
    found = sorted(map(Path, glob.glob(str(source.location))))  # noqa: PTH207 - an absolute pattern
    if not found and not glob.has_magic(str(source.location)):
        raise Problem(f"There is no file {source.location}.", f"Mend `location` of source {source.name}.")
    if len({file.name for file in found}) < len(found):
        raise Problem(
            f"Files in several folders of source {source.name} have the same name.",
            "Files are told apart by their names: give each its own.",
        )
    return found


def _file_chunks(source: Source, file: Path, at: Position | None, *, growing: bool) -> Iterator[Chunk]:
    with reading(file):
        size = file.stat().st_size
    begun = at or {"rows": 0}
    if begun.get("size") == size:
        return
    _require_same(source, file, begun)
    head_bytes, head = head_of(file)
    mark = {"head_bytes": head_bytes, "head": head}
    done = int(begun["rows"])
    read = _parquet if _format(source, file) == FileFormat.parquet else _text
    for chunk in read(source, file, done, growing=growing):
        done = int(chunk.after["rows"])
        yield _at(chunk, {**chunk.after, **mark, "size": None})
    if not (growing and _is_torn(source, file, size)):
        yield Chunk.nothing(file.name, {"rows": done, **mark, "size": size})


def _at(chunk: Chunk, after: Position) -> Chunk:
    return Chunk(chunk.part, chunk.frame, chunk.places, chunk.original, chunk.unreadable, after)


def _text(source: Source, file: Path, done: int, *, growing: bool) -> Iterator[Chunk]:
    batch_of = _batches(source, file, growing=growing)
    to_skip = done
    while to_skip and (skipped := batch_of(min(to_skip, source.batch_rows))):
        to_skip -= len(skipped)
    while batch := batch_of(source.batch_rows):
        after = {"rows": (done := done + len(batch))}
        if isinstance(batch, PlainRows):
            yield _plain(source, file, batch, after)
            continue
        records = [row for row in batch if isinstance(row, Record)]
        if records:
            require_columns(source, file.name, records[0].values)
        yield Chunk(
            part=file.name,
            frame=frame_of(source, [record.values for record in records]),
            places=[record.place for record in records],
            original=_originals(records),
            unreadable=[row for row in batch if isinstance(row, Unreadable)],
            after=after,
        )


def _plain(source: Source, file: Path, batch: PlainRows, after: Position) -> Chunk:
    require_columns(source, file.name, batch.header)
    frame = batch.frame(columns_of(source))
    places = range(batch.first, batch.first + len(batch))
    return Chunk(file.name, frame, places, batch.original, (), after)


def _originals(records: Sequence[Record]) -> Callable[[int], bytes]:
    return lambda index: records[index].original


def _batches(source: Source, file: Path, *, growing: bool) -> Callable[[int], PlainRows | list[Row]]:
    """Gives at most so many rows more, none at the end."""
    form = _format(source, file)
    if form == FileFormat.csv:
        return CsvBatches(lines(file, growing=growing), source.delimiter).batch
    rows = ndjson_rows(lines(file, growing=growing)) if form == FileFormat.ndjson else _array(file)
    return lambda most: list(islice(rows, most))


def _array(file: Path) -> Iterator[Row]:
    content = bytearray()
    for line in lines(file, growing=False):
        content += line
        if len(content) > MOST_JSON_BYTES:
            raise Problem(
                f"{file} is one JSON array of more than {MOST_JSON_BYTES >> 20} MB, which is read whole.",
                "Write an object a line (.ndjson): that is read bit by bit, whatever its size.",
            )
    try:
        yield from json_rows(bytes(content))
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem(f"{file} is not one JSON array of objects.", "An object a line is .ndjson.") from None


def _parquet(source: Source, file: Path, done: int, *, growing: bool) -> Iterator[Chunk]:
    del growing  # it has its footer, or is no Parquet file yet
    with reading(file), pq.ParquetFile(file) as opened:
        require_columns(source, file.name, opened.schema_arrow.names)
        to_skip = done
        for arrow in opened.iter_batches(source.batch_rows):
            if to_skip >= len(arrow):
                to_skip -= len(arrow)
                continue
            frame = pl.DataFrame(arrow.slice(to_skip))
            to_skip = 0
            places = range(done + 1, done + 1 + len(frame))
            after = {"rows": (done := done + len(frame))}
            yield Chunk(file.name, frame, places, original_of(frame), (), after)


def _format(source: Source, file: Path) -> FileFormat:
    form = source.format or file_format(file)
    if not isinstance(form, FileFormat):
        raise Problem(
            f"{file} is none of the formats we read, by its name.", f"Say `format` in source {source.name}."
        )
    return form


def _is_torn(source: Source, file: Path, size: int) -> bool:
    """Whether the last line has no end: what is missing may come yet."""
    if _format(source, file) not in (FileFormat.csv, FileFormat.ndjson) or compression(file) or not size:
        return False
    with reading(file), file.open("rb") as stream:
        stream.seek(size - 1)
        return stream.read(1) != b"\n"


def _require_same(source: Source, file: Path, at: Position) -> None:
    """A file may grow; another in its place would be read from the middle."""
    if "head" in at and head_of(file, at["head_bytes"]) != (at["head_bytes"], at["head"]):
        raise Problem(
            f"{file} is another file than the one of which {at['rows']:,} rows were sent.",
            "Give it a name of its own; or, to send all of it, "
            f"forget what was sent: bdp sources forget {source.name}.",
        )
