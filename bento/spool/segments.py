"""The spool's folder: segments named by the first number in them, and how far they were sent."""

from __future__ import annotations

import errno
import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from bento.spool.frames import Frame, unpacked

SEGMENT_BYTES = 16 * 1024 * 1024
SLOTS = 64
_SUFFIX = ".spool"
_DIGITS = 20


Held = tuple[Path, int]
"""A folder, and the lock that holds it (a descriptor)."""


def own_folder(root: Path) -> Held:
    """The first folder under `root` that no process holds, and the lock that holds it now (a descriptor).

    Each process has a folder to itself; one that starts after a kill finds its predecessor's. Raises OSError,
    also where all are in use.
    """
    for folder in _slots(root):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = _locked(folder)
        if lock is not None:
            return folder, lock
    raise OSError(errno.EBUSY, f"{SLOTS} processes have a spool here already", str(root))


def left_folder(root: Path) -> Held | None:
    """One that no process holds, with segments in it, as `own_folder` gives it. Raises OSError."""
    for folder in _slots(root):
        if folder.is_dir() and firsts(folder):
            lock = _locked(folder)
            if lock is not None:
                return folder, lock
    return None


def _slots(root: Path) -> Iterator[Path]:
    return (root / str(slot) for slot in range(SLOTS))


def _locked(folder: Path) -> int | None:
    """The lock, None where a process has it (this one, too)."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(lock)
        return None
    return lock


def segments(folder: Path) -> list[Path]:
    """In order."""
    return [segment(folder, first) for first in firsts(folder)]


def firsts(folder: Path) -> list[int]:
    """What each segment begins with, ascending; other files are not ours."""
    names = os.listdir(folder)  # noqa: PTH208 - asked many times a second, and Path is five times as slow
    starts = (name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX))
    return sorted(int(start) for start in starts if start.isdecimal())


def segment(folder: Path, first: int) -> Path:
    """The one that begins with a number."""
    return folder / f"{first:0{_DIGITS}d}{_SUFFIX}"


def first_of(path: Path) -> int:
    return int(path.name.removesuffix(_SUFFIX))


def mended(path: Path) -> Iterator[Frame]:
    """Its frames; what is torn behind them is cut off."""
    content, end = path.read_bytes(), 0
    for frame, end in unpacked(content):  # noqa: B007 - read after the loop
        yield frame
    if end < len(content):
        os.truncate(path, end)


def require_room(folder: Path, size: int) -> None:
    """Write so many bytes and take them back. Raises OSError."""
    path = folder / "room"
    try:
        if path.write_bytes(bytes(size)) < size:
            raise OSError(errno.ENOSPC, "no space left for a call")
    finally:
        path.unlink(missing_ok=True)


class SentMark:
    """How far a folder was sent: a number of fixed width in a file, written over in one piece."""

    def __init__(self, folder: Path) -> None:
        """Raises OSError."""
        self._file = os.open(folder / "sent", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if not self.read():
            with suppress(OSError):  # Room for later, while there is some.
                self.write(0)

    def read(self) -> int:
        """The last number that was sent, 0 before the first, and where a power cut left no number there."""
        mark = os.pread(self._file, _DIGITS, 0)
        return int(mark) if mark.isdigit() else 0

    def write(self, number: int) -> None:
        """Raises OSError."""
        os.pwrite(self._file, f"{number:0{_DIGITS}d}".encode(), 0)

    def close(self) -> None:
        os.close(self._file)
