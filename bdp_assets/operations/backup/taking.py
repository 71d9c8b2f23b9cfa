"""`bdp backup`: rest, count, copy, look whether anything has changed, and only then give it its name."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from bdp_assets.operations.backup import contents, copying, drafts, manifest, quiet, versions
from bdp_assets.operations.backup.contents import Found
from bdp_assets.operations.backup.manifest import Manifest
from bdp_assets.operations.backup.own import require_local
from bdp_assets.operations.backup.telling import Bytes, stage_lines
from bdp_assets.operations.progress import Screen
from bdp_assets.runtime import home as homes
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


def back_up(settings: Settings, folder: Path, screen: Screen, *, wait_s: float = 0) -> Manifest:
    """Copy BDP_HOME into a new `folder`; what ran before runs again afterwards, also when this fails.

    `wait_s`: how long to wait, with the API stopped, until nothing is on its way. Raises Problem, and what
    `counting.count` raises.
    """
    require_local(settings)
    _require_possible(settings.home.resolve(), folder)
    report, names = stage_lines(screen), quiet.running(settings)
    with quiet.started_again(settings, names, report), drafts.draft(folder, ".partial") as draft:
        drafts.require_room(folder.parent, sum(found.room for found in contents.look(settings.home)))
        began = time.monotonic()
        if names and wait_s:
            quiet.drain(settings, wait_s, screen, report)
        counts, lag = quiet.counted(settings, report)
        taken_ms = time.time_ns() // 1_000_000
        with quiet.held(settings):
            entries, digests = _copied(settings.home, draft / manifest.FILES, screen)
        made = Manifest(
            taken_ms=taken_ms,
            seconds_down=round(time.monotonic() - began, 1),
            versions=versions.present(),
            counts=counts,
            lag=lag,
            entries=entries,
            sha256=digests,
        )
        manifest.write(draft, made)
    return made


def _copied(home: Path, into: Path, screen: Screen) -> tuple[Sequence[Found], dict[str, str]]:
    """What was there, and the digest of each file. Raises Problem where somebody wrote meanwhile."""
    before = contents.look(home)
    told = Bytes(screen, "copy", sum(found.size for found in before))
    digests = {}
    for found in before:
        copying.place(into, found)
        if found.kind == "file":
            digests[found.path] = copying.copy_file(home / found.path, into / found.path)
            told.done(found)
    changed = set(before).symmetric_difference(contents.look(home))
    if changed:
        raise Problem(
            f"{min(found.path for found in changed)} in {home} was written while it was copied.",
            "End what writes there (a `bdp` command of another terminal?), then try again.",
        )
    return before, digests


def _require_possible(home: Path, folder: Path) -> None:
    """Raises Problem."""
    if not (home / homes.MARKER).is_file():
        raise Problem(f"There is no platform in {home}.", "Set BDP_HOME to the one that you mean.")
    if folder.resolve().is_relative_to(home) or home.is_relative_to(folder.resolve()):
        raise Problem(
            f"{folder} and {home} lie in each other.", "Name a folder elsewhere, best on another disk."
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Problem(f"{folder} is there already.", "Name a new folder for each backup.")
