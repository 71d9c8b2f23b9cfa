"""Rows of text files: each one a record, or unreadable by itself. A bad line never ends the file."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import msgspec

from bdp_assets.ingest.sources.chunk import Unreadable

MAX_ORIGINAL_BYTES = 262_144
"""What is kept of an unreadable row: a broken quote may have swallowed thousands."""


class Record(NamedTuple):
    """A row by column; `original` is the row as the file has it."""

    place: int
    values: dict[str, object]
    original: bytes


Row = Record | Unreadable
_decode = msgspec.json.Decoder(dict[str, object]).decode


def csv_rows(lines: Iterable[bytes], delimiter: str) -> Iterator[Row]:
    """Rows below the header, all values text; an empty one is None. `place` counts them from 1."""
    following = iter(lines)
    yield from csv_rows_below(csv_header(following, delimiter), following, delimiter, 1)


def csv_header(lines: Iterator[bytes], delimiter: str) -> list[str]:
    """Takes the first row; none in an empty file."""
    return next(csv.reader(_Seen(lines), delimiter=delimiter), [])


def csv_rows_below(
    header: Sequence[str], lines: Iterator[bytes], delimiter: str, first: int
) -> Iterator[Row]:
    """No line is taken before it is needed. `first`: the place of the first row."""
    seen = _Seen(lines)
    reader = csv.reader(seen, delimiter=delimiter)
    place = first - 1
    while True:
        seen.since.clear()
        place += 1
        try:
            values = next(reader)
        except StopIteration:
            return
        except csv.Error:
            yield seen.unreadable(place, "It is no row of CSV: is there a quote that nobody closes?")
            continue
        if not values:
            place -= 1  # an empty line is no row
        elif len(values) != len(header):
            yield seen.unreadable(place, f"It has {len(values)} values, the header {len(header)}.")
        elif not _is_text(values):
            yield seen.unreadable(place, "It is not UTF-8.")
        else:
            # Backwards: of two columns of one name the first counts, as at the history door.
            row: dict[str, object] = dict(
                zip(header[::-1], (value or None for value in values[::-1]), strict=True)
            )
            yield Record(place, row, seen.original())


def ndjson_rows(lines: Iterable[bytes]) -> Iterator[Row]:
    """A JSON object a line."""
    place = 0
    for line in lines:
        stripped = line.strip()
        if not stripped:
            continue
        place += 1
        yield json_row(place, stripped)


def json_row(place: int, text: bytes) -> Row:
    """One JSON object."""
    try:
        return Record(place, _decode(text), text)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Unreadable(place, _kept(text), "It is no JSON object.")


def json_rows(content: bytes) -> Iterator[Row]:
    """The objects of one array. Raises msgspec.DecodeError, UnicodeDecodeError if it is no array."""
    for place, raw in enumerate(msgspec.json.decode(content, type=list[msgspec.Raw]), 1):
        row = next(ndjson_rows([bytes(raw).replace(b"\n", b" ")]))
        yield row._replace(place=place)


class _Seen:
    """Lines as text for the csv module, which remembers those of the row under way."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self.since: list[bytes] = []

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.since.append(line)
        return line.decode(errors="surrogateescape")

    def original(self) -> bytes:
        return _kept(b"".join(self.since).rstrip(b"\r\n"))

    def unreadable(self, place: int, says: str) -> Unreadable:
        return Unreadable(place, self.original(), says)


def _kept(original: bytes) -> bytes:
    """Cut, but never within a number: half a card number would not be known for one."""
    if len(original) <= MAX_ORIGINAL_BYTES:
        return original
    return original[:MAX_ORIGINAL_BYTES].rstrip(b"0123456789 -")


def _is_text(values: Sequence[str]) -> bool:
    try:
        "".join(values).encode()
    except UnicodeEncodeError:
        return False
    return True
