"""What a backup says of itself: `manifest.json`, whose own digest is beside it in the form of sha256sum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from bdp_assets.operations.backup.contents import Found
from bdp_assets.runtime.problems import Problem

FORMAT = "bdp-backup-1"
FILES = "home"
"""Folder of a backup with the files, as they were in BDP_HOME."""
_NAME, _DIGEST = "manifest.json", "manifest.sha256"

Counts = Mapping[str, Mapping[str, int]]
"""Store of data -> what is counted there -> how many; see `counting`."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """`sha256`: of each file by its path (hex). `lag`: what was on its way, see `verify.lag`."""

    format: str = FORMAT
    taken_ms: int
    seconds_down: float
    """How long nothing was served for this backup, until the copy was whole."""
    versions: Mapping[str, str]
    counts: Counts
    lag: Mapping[str, int]
    entries: Sequence[Found]
    sha256: Mapping[str, str]

    @property
    def bytes(self) -> int:
        return sum(entry.size for entry in self.entries)

    @property
    def room(self) -> int:
        """Bytes that the files take on a disk."""
        return sum(entry.room for entry in self.entries)

    @property
    def files(self) -> int:
        return len(self.sha256)


def write(folder: Path, manifest: Manifest) -> None:
    """Raises OSError."""
    text = msgspec.json.format(msgspec.json.encode(manifest), indent=1)
    (folder / _NAME).write_bytes(text)
    (folder / _DIGEST).write_text(f"{hashlib.sha256(text).hexdigest()}  {_NAME}\n")


def read(folder: Path) -> Manifest:
    """Raises Problem: no backup, one of another format, or damaged."""
    try:
        text = (folder / _NAME).read_bytes()
        digest = (folder / _DIGEST).read_text().split(maxsplit=1)[0]
    except (OSError, IndexError, UnicodeDecodeError) as error:
        raise Problem(
            f"{folder} is no backup: {_NAME} or {_DIGEST} is missing or can not be read.",
            "Name the folder that `bdp backup` has made; one that ends in .partial was never finished.",
        ) from error
    if hashlib.sha256(text).hexdigest() != digest:
        raise damaged(folder, f"{_NAME} is not what was written")
    if msgspec.json.decode(text, type=_Format).format != FORMAT:
        raise Problem(
            f"{folder} is a backup of another format than {FORMAT}.",
            "Restore it with the version of the platform that has made it.",
        )
    return msgspec.json.decode(text, type=Manifest)


def damaged(folder: Path, how: str) -> Problem:
    """What to tell of a backup that is not as it was made."""
    return Problem(
        f"The backup in {folder} is damaged: {how}.",
        "Nothing was changed. Use another backup, or another copy of this one.",
    )


class _Format(msgspec.Struct):
    format: str = ""
