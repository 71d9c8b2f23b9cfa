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


def own_folder(root: Path) -> tuple[Path, int]:
    """The first folder under `root` that no process holds, and the lock that holds it now (a descriptor).

    Each process has a folder to itself; one that starts after a kill finds its predecessor's. Raises OSError,
    also where all are in use.
    """
    for slot in range(SLOTS):
        folder = root / str(slot)
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
        else:
            return folder, lock
    raise OSError(errno.EBUSY, f"{SLOTS} processes have a spool here already", str(root))


def segments(folder: Path) -> list[Path]:
    """In order."""
    return sorted(folder.glob(f"*{_SUFFIX}"))


def segment(folder: Path, first: int) -> Path:
    """The one that begins with a number."""
    return folder / f"{first:020d}{_SUFFIX}"


def first_of(path: Path) -> int:
    return int(path.name.removesuffix(_SUFFIX))


def mended(path: Path) -> Iterator[Frame]:
    """Its frames; what is torn behind them is cut off."""
    content, end = path.read_bytes(), 0
    for frame, end in unpacked(content):  # noqa: B007 - read after the loop
        yield frame
    if end < len(content):
        os.truncate(path, end)


def sent(folder: Path) -> int:
    """The last number that was sent, 0 before the first."""
    with suppress(FileNotFoundError):
        return int((folder / "sent").read_text() or 0)
    return 0


def mark_sent(folder: Path, number: int) -> None:
    """Whole or not at all. Raises OSError."""
    draft = folder / "sent.new"
    draft.write_text(str(number))
    draft.replace(folder / "sent")
