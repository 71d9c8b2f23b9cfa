"""What of a BDP_HOME a backup has: everything but what the next start makes anew."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Kind = Literal["file", "folder", "link"]

LEFT_OUT = ("logs", "run", "kafka/tmp", "dagster/dagster.yaml")
"""Whatever is not named here is state, so that what somebody adds to a home is not forgotten."""
JOURNALS = "run/traffic-*.jsonl"
"""What the load driver was promised; `bdp verify` holds the platform to it."""


@dataclass(frozen=True)
class Found:
    """One name in a home. `size`: bytes; `room`: bytes on the disk (less than `size` where it has holes)."""

    path: str
    kind: Kind
    mode: int
    owner: tuple[int, int]
    """User and group id: PostgreSQL's files may belong to another user than ours."""
    mtime_ns: int
    size: int = 0
    room: int = 0
    target: str = ""
    """Of a link."""

    @property
    def part(self) -> str:
        """The folder of the home that it is in, for people."""
        return self.path.partition("/")[0]


def look(home: Path) -> list[Found]:
    """All that a backup has, folders before what is in them, the home itself (`.`) first. Raises OSError."""
    journals = [_found(home, path) for path in sorted(home.glob(JOURNALS))]
    run = [_found(home, home / "run")] if journals else []
    return [_found(home, home), *_below(home, home), *run, *journals]


def _below(home: Path, folder: Path) -> Iterator[Found]:
    for path in sorted(folder.iterdir()):
        if path.relative_to(home).as_posix() in LEFT_OUT or not _is_kept(path.lstat().st_mode):
            continue
        found = _found(home, path)
        yield found
        if found.kind == "folder":
            yield from _below(home, path)


def _is_kept(mode: int) -> bool:
    """Sockets and pipes hold nothing."""
    return stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode)


def _found(home: Path, path: Path) -> Found:
    status = path.lstat()
    is_file, is_link = stat.S_ISREG(status.st_mode), stat.S_ISLNK(status.st_mode)
    return Found(
        path=path.relative_to(home).as_posix(),
        kind="file" if is_file else "link" if is_link else "folder",
        mode=stat.S_IMODE(status.st_mode),
        owner=(status.st_uid, status.st_gid),
        mtime_ns=status.st_mtime_ns,
        size=status.st_size if is_file else 0,
        room=status.st_blocks * 512 if is_file else 0,
        target=os.fspath(path.readlink()) if is_link else "",
    )
