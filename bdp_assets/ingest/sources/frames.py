"""Rows of a source as a frame that `ingest.encode` reads, and as what is kept of those that are refused."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import date, datetime

import msgspec
import polars as pl

from bdp_assets.ingest.file_format import FileFormat
from bdp_assets.ingest.mapping import MappingError
from bdp_assets.ingest.sources.entry import Source

REQUIRED = tuple(f"fields.{name}" for name in ("transaction_id", "customer_id", "amount", "timestamp"))
_encode = msgspec.json.Encoder(enc_hook=str).encode


def frame_of(source: Source, rows: Sequence[Mapping[str, object]]) -> pl.DataFrame:
    """The columns that the mapping names, each of the type that all its values have, else text."""
    return pl.DataFrame([_series(name, [row.get(name) for row in rows]) for name in columns_of(source)])


def columns_of(source: Source) -> list[str]:
    """The columns that the mapping names."""
    return list(dict.fromkeys(column for _, column in _named(source)))


def _named(source: Source) -> Iterator[tuple[str, str]]:
    """(what in the entry names it, column)."""
    for field, column in source.fields.columns():
        yield f"fields.{field}", column
    if source.labels is not None:
        yield from source.labels.columns()


def _series(name: str, values: Sequence[object]) -> pl.Series:
    kinds = {type(value) for value in values if value is not None}
    if not kinds or kinds == {str}:
        return pl.Series(name, values, pl.String)
    if kinds in ({datetime}, {date}):
        return pl.Series(name, values)
    if kinds <= {int, float}:
        try:
            return pl.Series(name, values, pl.Float64 if float in kinds else pl.Int64)
        except OverflowError:
            pass  # a number beyond 64 bits travels as its text, to be judged by the contract
    return pl.Series(name, [_text(value) for value in values], pl.String)


def _text(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return _encode(value).decode()


def original_of(frame: pl.DataFrame) -> Callable[[int], bytes]:
    """A row of the frame as JSON."""
    return lambda index: _encode(frame.row(index, named=True))


def require_columns(source: Source, where: str, present: Collection[str]) -> None:
    """Raises MappingError that names the columns that are missing.

    An object of JSON may leave out what is optional, a table may not.
    """
    optional_too = source.kind not in (FileFormat.ndjson, FileFormat.json)
    absent = [
        f"{name} says {column}"
        for name, column in _named(source)
        if column not in present and (optional_too or name in REQUIRED)
    ]
    if absent:
        raise MappingError(
            f"{where} of source {source.name} has no such column: {', '.join(absent)}. "
            f"It has: {', '.join(present)}."
        )
