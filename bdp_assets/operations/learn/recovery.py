"""Lesson 12: a backup that is whole, and a second home that was restored from it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from bdp_assets.operations.backup import manifest
from bdp_assets.operations.backup.manifest import Manifest
from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.runtime.home import MARKER
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

FOLDER, BACKUP, RESTORED = ".bdp-lesson", "backup", "home"
"""Beside BDP_HOME: a backup in what it backs up would be none."""
_AS_WRITTEN = ("lake/", "models/")
"""Files that opening the stores of data does not change."""


def look(settings: Settings) -> Iterator[Missing]:
    beside = settings.home.parent / FOLDER
    try:
        taken = manifest.read(beside / BACKUP)
    except Problem as problem:
        yield Missing(problem.what, 2)
        return
    restored = beside / RESTORED
    if not (restored / MARKER).is_file():
        yield Missing(f"{restored} is not the home of a platform.", 3)
    elif wrong := _different(restored, taken):
        yield Missing(f"{wrong} files in {restored} are not those of the backup.", 3)


def _different(restored: Path, taken: Manifest) -> int:
    kept = {path: digest for path, digest in taken.sha256.items() if path.startswith(_AS_WRITTEN)}
    return sum(_digest(restored / path) != digest for path, digest in kept.items())


def _digest(file: Path) -> str | None:
    return hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else None
