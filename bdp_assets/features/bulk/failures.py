"""What can go wrong with files, told so that its reader can do something about it."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import polars as pl
import pyarrow as pa

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_QUOTES = re.compile(r"(?<!^parquet): .*|(?<=could not parse) .*")
"""Where Polars begins to repeat what it could not read, which may be a card number."""


class BulkFailed(Exception):  # noqa: N818 - reads as what it is
    """Features or scores can not be built; the message says why and what to do. There is no output then."""


@contextmanager
def reading(name: str) -> Iterator[None]:
    """Trouble with the input."""
    try:
        yield
    except pl.exceptions.ColumnNotFoundError as error:
        missing = _first_line(error)
        raise BulkFailed(f"{name} lacks a column: {missing}. Name it, or map it with --mapping.") from None
    except pl.exceptions.PolarsError as error:
        raise _unreadable(name, _QUOTES.sub("", _first_line(error))) from None
    except (pa.ArrowInvalid, UnicodeDecodeError) as error:
        raise _unreadable(name, _first_line(error)) from None
    except OSError as error:
        if error.errno in _FULL:
            raise
        raise BulkFailed(f"{name} can not be read: {error.strerror or error}.") from None


@contextmanager
def writing(output: Path, inputs: Iterable[str] = ()) -> Iterator[None]:
    """Trouble with the output, a Parquet file, and the disk that it and the spilled parts go to.

    `inputs`: what is read and can not be made again, by its names; those of files are their paths.
    """
    if output.is_dir():
        raise BulkFailed(f"{output} is a folder: name a file to write.")
    if output.suffix != ".parquet":
        raise BulkFailed(f"{output} would hold Parquet under another ending: name a .parquet file to write.")
    if any(output.exists() and Path(name).exists() and output.samefile(name) for name in inputs):
        raise BulkFailed(f"{output} is read, and would be gone: name another file to write.")
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise BulkFailed(
                f"The disk under {output.parent.absolute()} is full. Free space, or write elsewhere: "
                "while the build runs, it takes as much as input and output do without compression."
            ) from None
        raise BulkFailed(f"{output} can not be written: {error.strerror or error}.") from None


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]


def _unreadable(name: str, reason: str) -> BulkFailed:
    return BulkFailed(
        f"{name} can not be read: {reason}. Is it whole, and of the format that its ending says?"
    )
