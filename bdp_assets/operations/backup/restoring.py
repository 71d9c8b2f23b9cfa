"""`bdp restore`: copy and prove beside the home, take its place, then open every store and count."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
from bdp_assets.clients.outage import Outage
from bdp_assets.operations.backup import copying, counting, drafts, manifest, quiet, versions
from bdp_assets.operations.backup.manifest import FILES, Manifest
from bdp_assets.operations.backup.own import require_local
from bdp_assets.operations.backup.telling import Bytes, stage_lines
from bdp_assets.operations.progress import Screen
from bdp_assets.runtime import home as homes
from bdp_assets.runtime import platform
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


def bring_back(settings: Settings, folder: Path, screen: Screen, *, wipe: bool) -> Manifest:
    """Make BDP_HOME what it was; a present one is not touched before the copy beside it is whole and proved.

    `wipe`: stop and replace a home that is there. Afterwards nothing runs. Raises Problem.
    """
    require_local(settings)
    home = settings.home.resolve()
    taken = manifest.read(folder)
    versions.require_readable(taken.versions, versions.present())
    _require_replaceable(home, wipe=wipe)
    drafts.require_room(home.parent, taken.room)
    with drafts.draft(home, ".restoring") as draft:
        _copied(folder, taken, draft, screen)
        for name in ("run", "logs"):
            (draft / name).mkdir(exist_ok=True)
        if home.exists():
            _put_aside(settings, home, screen)
    shutil.rmtree(_aside(home), ignore_errors=True)
    return taken


def prove(settings: Settings, taken: Manifest, screen: Screen) -> None:
    """Have the stores of data open their files, and count; then nothing runs. Raises Problem."""
    try:
        counts, _ = quiet.counted(settings, stage_lines(screen))
    except (KafkaUnavailable, KafkaRefused, Outage) as error:
        raise Problem(
            f"Every file is back, but what is in them could not be counted: {error}",
            "Restore it again with --wipe, or let `bdp up` and `bdp verify --wait 120` prove it.",
        ) from error
    if wrong := counting.differences(taken.counts, counts):
        raise Problem(
            f"What came back is not what was there: {'; '.join(wrong[:5])} ({len(wrong)} differences).",
            f"`bdp logs` of the program tells more. {settings.home} stays as it is; restore another backup.",
        )


def _copied(folder: Path, taken: Manifest, draft: Path, screen: Screen) -> None:
    """Every file by its digest. Raises Problem for the first that is missing or another."""
    told = Bytes(screen, "restore", taken.bytes)
    for found in taken.entries:
        copying.place(draft, found)
        if found.kind == "file":
            _copy_proved(folder, found.path, draft, taken.sha256[found.path])
            told.done(found)
    for found in reversed(taken.entries):
        copying.finish(draft, found)
    os.sync()


def _copy_proved(folder: Path, path: str, draft: Path, digest: str) -> None:
    source = folder / FILES / path
    if not source.is_file():
        raise manifest.damaged(folder, f"{path} is missing")
    if copying.copy_file(source, draft / path) != digest:
        raise manifest.damaged(folder, f"{path} is not what was written")


def _require_replaceable(home: Path, *, wipe: bool) -> None:
    """Raises Problem."""
    if not home.exists() or not any(home.iterdir()):
        return
    if not (home / homes.MARKER).is_file():
        raise Problem(f"{home} has other files in it.", "Set BDP_HOME to a new or empty folder.")
    if not wipe:
        raise Problem(
            f"{home} has a platform's data in it.",
            "`bdp restore --wipe` replaces it by the backup; or set BDP_HOME to a new folder.",
        )
    if home.is_mount():
        raise Problem(
            f"{home} is a disk of its own: it can not be replaced at once.", "Set BDP_HOME to a folder in it."
        )


def _put_aside(settings: Settings, home: Path, screen: Screen) -> None:
    """Stop the present platform, and let another name hold it until the backup has its place."""
    if not (home / homes.MARKER).is_file():
        return
    platform.down(settings, report=stage_lines(screen))
    shutil.rmtree(_aside(home), ignore_errors=True)
    with quiet.held(settings):
        home.rename(_aside(home))


def _aside(home: Path) -> Path:
    return home.with_name(f"{home.name}.replaced")
