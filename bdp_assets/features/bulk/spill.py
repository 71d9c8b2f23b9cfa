"""Frames on disk that grow by appending: what does not fit in memory waits here.

A file holds one Arrow stream for each append, so that nothing has to stay open between two of them, however
many buckets there are.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import polars as pl
import pyarrow as pa
import pyarrow.ipc


def append(path: Path, frame: pl.DataFrame) -> int:
    """Add the frame to the end of the file; returns where it begins (bytes). Raises OSError."""
    stream = BytesIO()
    frame.write_ipc_stream(stream, compression="lz4")
    # By Python's own write, whose errors say by number that the disk is full.
    with path.open("ab") as file:
        begins = file.tell()
        file.write(stream.getbuffer())
    return begins


def frames(path: Path) -> Iterator[pl.DataFrame]:
    """What was appended, one after the other; nothing when there is no file."""
    if not path.exists():
        return
    size = path.stat().st_size
    with path.open("rb") as file:
        while file.tell() < size:
            yield _next(file)


def read(path: Path, schema: pl.Schema) -> pl.DataFrame:
    """All that was appended, in order; an empty frame of the schema when there is no file."""
    found = list(frames(path))
    return pl.concat(found, rechunk=True) if found else schema.to_frame()


def read_at(path: Path, begins: int) -> pl.DataFrame:
    """The frame that `append` put there."""
    with path.open("rb") as file:
        file.seek(begins)
        return _next(file)


def _next(file: object) -> pl.DataFrame:
    with pa.ipc.open_stream(file) as stream:
        frame = pl.from_arrow(stream.read_all())
    assert isinstance(frame, pl.DataFrame)  # noqa: S101 - a table is no series
    return frame
