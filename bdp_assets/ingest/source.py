"""A file with transactions, how it maps to the contract, and what it has."""

from __future__ import annotations

import codecs
import glob
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path

import polars as pl

from bdp_assets.ingest import encode
from bdp_assets.ingest.file_format import FileFormat, compression, file_format
from bdp_assets.ingest.mapping import (
    LabelFields,
    Labels,
    Mapping,
    MappingError,
    identity_mapping,
    load_mapping,
)
from bdp_assets.ingest.sources import entry
from bdp_assets.ingest.sources.entry import Source
from bdp_assets.settings import Settings

NAME_ANOTHER = "Name one that is there."
MAKE_HISTORY = (
    "Run `bdp simulate history` to make one, or name your own with BDP_HISTORY_FILE (and "
    "BDP_HISTORY_MAPPING)."
)


class HistoryMissing(Exception):  # noqa: N818 - reads as what it is
    """There is no file to read history from."""


@dataclass(frozen=True)
class HistorySource:
    """A file: .parquet, .csv, .ndjson or .jsonl, plain, .gz or .zst.

    Without a mapping it must have the contract's own names.

    Args:
        form: None: by the file's ending.
        absent: what to do where it is not there.
    """

    file: Path
    given: Mapping | None = None
    form: FileFormat | None = None
    delimiter: str = ","
    absent: str = NAME_ANOTHER

    @classmethod
    def from_settings(cls, settings: Settings) -> HistorySource:
        """What BDP_HISTORY_SOURCE, or BDP_HISTORY_FILE and BDP_HISTORY_MAPPING name, else the simulator's.

        Raises MappingError.
        """
        if settings.history_source:
            return cls.of_entry(entry.load(settings, settings.history_source))
        given = load_mapping(settings.history_mapping) if settings.history_mapping else None
        file = settings.history_file or settings.home / "history" / "transactions.parquet"
        return cls(file, given, absent=MAKE_HISTORY)

    @classmethod
    def of_entry(cls, source: Source) -> HistorySource:
        """A declared source's file. Raises MappingError if it is not one file."""
        if source.location is None or glob.has_magic(source.location):
            raise MappingError(
                f"Source {source.name} is no history: that is one file. Live data comes by `--to topic`; or "
                "write the rows into a file, and name it in a source of its own."
            )
        form = source.format if isinstance(source.format, FileFormat) else None
        absent = f"Put it there, or mend `location` of source {source.name}."
        return cls(Path(source.location), source.to_contract(), form, source.delimiter, absent)

    def scan(self) -> pl.LazyFrame:
        return scan_file(self.file, self.form, self.delimiter, self.absent)

    @cached_property
    def schema(self) -> pl.Schema:
        return self.scan().collect_schema()

    @cached_property
    def mapping(self) -> Mapping:
        """The mapping, checked against the columns of the file."""
        mapping = self.given or identity_mapping(self.schema.names())
        _check(self.file, [(f"fields.{n}", c) for n, c in mapping.fields.columns()], self.schema)
        return mapping

    @cached_property
    def moment(self) -> pl.Expr:
        """Time of a transaction as Datetime(ms, UTC), null where it can not be read."""
        return encode.moment(self.mapping.fields.timestamp, self.schema)

    @cached_property
    def days(self) -> tuple[date, date]:
        """First and last UTC day with a transaction."""
        first, last = self.scan().select(first=self.moment.min(), last=self.moment.max()).collect().row(0)
        if first is None:
            column = self.mapping.fields.timestamp.column
            raise MappingError(
                f"{self.file}: no time in column {column} can be read: check its format or unit."
            )
        return first.date(), last.date()

    def label_rows(self, rules: Labels) -> tuple[pl.LazyFrame, LabelFields]:
        """The rows that hold labels, and where they say which transaction each is about."""
        if rules.file is None or rules.fields is None:
            fields = self.mapping.fields
            rows, about = (
                self.scan(),
                LabelFields(**{n: getattr(fields, n) for n in LabelFields.model_fields}),
            )
            file = self.file
        else:
            file, about = self.file.parent / rules.file, rules.fields
            rows = scan_file(file)
        named = [*about.columns(), ("is_fraud", rules.is_fraud.column)]
        if rules.known_at:
            named.append(("known_at", rules.known_at.column))
        _check(file, [(f"labels.{name}", column) for name, column in named], rows.collect_schema())
        return rows, about


def scan_file(
    file: Path, form: FileFormat | None = None, delimiter: str = ",", absent: str = NAME_ANOTHER
) -> pl.LazyFrame:
    if not file.exists():
        raise HistoryMissing(f"There is no file {file}. {absent}")
    match form or file_format(file):
        case FileFormat.parquet:
            return pl.scan_parquet(file)
        case FileFormat.csv:
            _require_utf_8(file)
            # As text: guessed types would turn id 007 into 7 and 12.50 into 12.5.
            rows = pl.scan_csv(file, infer_schema=False, separator=delimiter)
            # All columns, whichever are asked for: else Polars does not see that a row has more fields than
            # the header, and takes the 1 of an unquoted 1,250.00 for the amount.
            return rows.map_batches(_as_they_are, projection_pushdown=False, streamable=True)
        case FileFormat.ndjson:
            _require_utf_8(file)
            return pl.scan_ndjson(file, infer_schema_length=None)
    raise HistoryMissing(
        f"{file} is none of the formats we read: .parquet, .csv, .ndjson, .jsonl (.gz, .zst)."
    )


def _require_utf_8(file: Path) -> None:
    """Polars would find other names of columns in UTF-16, and say that ours are missing."""
    if compression(file) or not file.is_file():
        return
    with file.open("rb") as opened:
        begin = opened.read(4)
    if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) or b"\0" in begin:
        raise HistoryMissing(
            f"{file} can not be read: its text is UTF-16 or UTF-32, save it as UTF-8 (as "
            "`iconv -f UTF-16 -t UTF-8` does)."
        )


def _as_they_are(rows: pl.DataFrame) -> pl.DataFrame:
    return rows


def _check(file: Path, named: list[tuple[str, str]], schema: pl.Schema) -> None:
    absent = [f"{place} says {column}" for place, column in named if column not in schema]
    if absent:
        raise MappingError(
            f"{file} has no such column: {', '.join(absent)}. It has: {', '.join(schema.names())}."
        )
