"""Where the parts of a build lie on disk while it runs, and how many there are."""

from __future__ import annotations

import fcntl
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkdtemp

import polars as pl

from bdp_assets.features.bulk.owners import Owner

_LOCK = "lock"
SPARE = 1.25
"""Buckets are so much more than there must be, as ids do not spread evenly."""


@dataclass(frozen=True)
class Workspace:
    """A folder beside the output. `buckets`: in how many each spill is divided; `rows_per_bucket`: how many
    rows are worked on at a time, and how many a range of the output has."""

    folder: Path
    rows_per_bucket: int
    buckets: int

    def kept(self, range_: int) -> Path:
        """What the output takes over from the input, by range of rows."""
        return self._in("kept", f"{range_}")

    def keyed(self, bucket: int) -> Path:
        """Transactions, by transaction key."""
        return self._in("keyed", f"{bucket}")

    def labels(self, bucket: int) -> Path:
        """Labels, by the key of their transaction."""
        return self._in("labels", f"{bucket}")

    def events(self, owner: Owner, bucket: int) -> Path:
        return self._in(owner.key, f"{bucket}.events")

    def changes(self, owner: Owner, bucket: int) -> Path:
        """Label changes."""
        return self._in(owner.key, f"{bucket}.changes")

    def slices(self, owner: Owner, bucket: int) -> Path:
        """A folder: the slices of a bucket that holds too much."""
        return self._in(owner.key, f"{bucket}.slices")

    def values(self, owner: Owner, bucket: int, part: int) -> Path:
        """Features of a bucket, or of a slice of it."""
        return self._in(owner.key, f"{bucket}-{part}.values")

    def _in(self, part: str, name: str) -> Path:
        folder = self.folder / part
        folder.mkdir(exist_ok=True)
        return folder / name


@contextmanager
def folder_beside(output: Path) -> Iterator[Path]:
    """On the output's disk, so that the finished file moves into place at once; gone afterwards.

    What builds of the same output that were killed left behind goes, too.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    prefix = f".{output.name}."
    _remove_left_behind(output.parent, prefix)
    folder = Path(mkdtemp(prefix=prefix, dir=output.parent.absolute()))
    with (folder / _LOCK).open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # Free once its process is gone, however that ended.
        try:
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def _remove_left_behind(parent: Path, prefix: str) -> None:
    for folder in parent.iterdir():
        lock = folder / _LOCK
        if folder.name.startswith(prefix) and lock.exists() and _is_free(lock):
            shutil.rmtree(folder, ignore_errors=True)


def _is_free(lock: Path) -> bool:
    with lock.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


@contextmanager
def workspace_beside(output: Path, rows: int, rows_per_bucket: int) -> Iterator[Workspace]:
    """In a `folder_beside` the output."""
    with folder_beside(output) as folder:
        yield Workspace(folder, rows_per_bucket, max(1, round(SPARE * rows / rows_per_bucket)))


def bucketed(frame: pl.DataFrame, keys: tuple[str, ...], buckets: int) -> Iterator[tuple[int, pl.DataFrame]]:
    """The rows of each bucket, in their order; rows of the same keys are in the same bucket."""
    mixed = pl.lit(0, pl.UInt64)
    for seed, key in enumerate(keys):
        mixed = mixed ^ pl.col(key).hash(seed)
    parts = frame.with_columns(bucket=mixed % buckets).partition_by(
        "bucket", as_dict=True, include_key=False, maintain_order=True
    )
    for (bucket,), rows in parts.items():
        yield int(bucket), rows
