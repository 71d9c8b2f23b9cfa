"""Rows of a CSV file in batches: plain lines as whole columns, all others row by row.

Plain: no quote, as many values as the header, UTF-8. Most lines of most files are, and as columns they are
read five times as fast. A row is the same either way (a property test holds the two together).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import polars as pl

from bdp_assets.ingest.sources.text_rows import Row, csv_header, csv_rows_below

LONGEST_LINE_BYTES = 100_000
"""The csv module refuses values of more than 131,072 characters: it shall say so itself."""


@dataclass(frozen=True)
class PlainRows:
    """Rows without quotes; `first`: the place of the first one."""

    header: Sequence[str]
    delimiter: str
    lines: Sequence[bytes]
    text: str
    first: int

    def __len__(self) -> int:
        return len(self.lines)

    def frame(self, columns: Sequence[str]) -> pl.DataFrame:
        """Of two columns of one name the first; an empty value is null. Raises ValueError: no such column."""
        rows = pl.Series(self.text.removesuffix("\n").split("\n"), dtype=pl.String)
        parts = rows.str.split_exact(self.delimiter, len(self.header) - 1).struct
        found = pl.DataFrame(
            [parts.field(f"field_{self.header.index(name)}").alias(name) for name in columns]
        )
        return found.select(pl.when(pl.all() != "").then(pl.all()))

    def original(self, index: int) -> bytes:
        return self.lines[index].rstrip(b"\r\n")


class CsvBatches:
    """`batch` after `batch` of the rows below the header."""

    def __init__(self, lines: Iterator[bytes], delimiter: str) -> None:
        self._lines = _Ahead(lines)
        self._delimiter = delimiter
        self._header = csv_header(self._lines, delimiter)
        self._behind = 0

    def batch(self, most: int) -> PlainRows | list[Row]:
        """At most so many rows; none: there are no more."""
        taken = self._lines.take(most)
        first = self._behind + 1
        text = self._plain(taken)
        if text is not None:
            self._behind += len(taken)
            return PlainRows(self._header, self._delimiter, taken, text, first)
        self._lines.give_back(taken)
        below = csv_rows_below(self._header, self._lines, self._delimiter, first)
        rows = list(islice(below, most))
        self._behind += len(rows)
        return rows

    def _plain(self, lines: Sequence[bytes]) -> str | None:
        """The lines as one text, if each is a row by its delimiters alone."""
        content = b"".join(lines).replace(b"\r\n", b"\n")
        delimiter, others = self._delimiter.encode(), len(self._header) - 1
        if not lines or others < 1 or any(odd in content for odd in (b'"', b"\r", b"\0")):
            return None
        if (
            any(line.count(delimiter) != others for line in lines)
            or max(map(len, lines)) > LONGEST_LINE_BYTES
        ):
            return None
        try:
            return content.decode()
        except UnicodeDecodeError:
            return None


class _Ahead:
    """Lines, of which some may be taken and given back."""

    def __init__(self, lines: Iterator[bytes]) -> None:
        self._lines = lines
        self._back: deque[bytes] = deque()

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        return self._back.popleft() if self._back else next(self._lines)

    def take(self, most: int) -> list[bytes]:
        taken = [self._back.popleft() for _ in range(min(most, len(self._back)))]
        return taken + list(islice(self._lines, most - len(taken)))

    def give_back(self, lines: Sequence[bytes]) -> None:
        self._back.extendleft(reversed(lines))
