"""A backup is there whole or not at all, and a restore changes nothing before it is sure."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.operations.backup import contents, copying, drafts, manifest, quiet, versions
from bdp_assets.operations.backup.contents import Found
from bdp_assets.operations.backup.restoring import bring_back, prove
from bdp_assets.operations.backup.taking import back_up
from bdp_assets.runtime.problems import DiskFull, Problem
from bdp_assets.settings import Settings
from bdp_assets_tests.unit.operations.backup.conftest import Silent

ROWS = "lake/raw/rows"


@pytest.fixture
def kept(settings: Settings, tmp_path: Path, screen: Silent) -> Path:
    back_up(settings, tmp_path / "kept", screen)
    return tmp_path / "kept"


def state(home: Path) -> list[Found]:
    """What a backup has, but how many blocks it takes."""
    return [dataclasses.replace(found, room=0) for found in contents.look(home)]


def test_what_comes_back_is_what_was_there(settings: Settings, kept: Path, screen: Silent) -> None:
    before, rows = state(settings.home), (settings.home / ROWS).read_bytes()
    shutil.rmtree(settings.home)
    bring_back(settings, kept, screen, wipe=False)
    changing = (".", "run")  # folders that get files which no backup has
    assert [found for found in state(settings.home) if found.path not in changing] == [
        found for found in before if found.path not in changing
    ]
    assert (settings.home / ROWS).read_bytes() == rows
    assert (settings.home / "index").stat().st_blocks * 512 < 2**20, "holes stay holes"
    assert not (settings.home / "logs" / "api.log").exists()
    assert not (settings.home / "run" / "supervisord.conf").exists()


def test_a_backup_is_for_its_owner_alone(kept: Path) -> None:
    assert kept.stat().st_mode & 0o077 == 0


def test_a_home_with_data_is_replaced_only_when_told(settings: Settings, kept: Path, screen: Silent) -> None:
    (settings.home / ROWS).write_bytes(b"newer")
    with pytest.raises(Problem, match="has a platform's data in it") as told:
        bring_back(settings, kept, screen, wipe=False)
    assert "--wipe" in told.value.do
    assert (settings.home / ROWS).read_bytes() == b"newer"
    bring_back(settings, kept, screen, wipe=True)
    assert (settings.home / ROWS).read_bytes() == b"rows" * 1_000
    assert {path.name for path in settings.home.parent.iterdir()} == {"home", "kept"}


def test_killed_while_it_takes_the_place_is_run_again(settings: Settings, kept: Path, screen: Silent) -> None:
    before = state(settings.home / "lake")
    settings.home.rename(settings.home.with_name("home.replaced"))
    bring_back(settings, kept, screen, wipe=False)
    assert state(settings.home / "lake") == before
    assert {path.name for path in settings.home.parent.iterdir()} == {"home", "kept"}


def flip(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES: dict[str, Callable[[Path], None]] = {
    f"{ROWS} is not what was written": lambda kept: flip(kept / "home" / ROWS),
    f"{ROWS} is missing": lambda kept: (kept / "home" / ROWS).unlink(),
    "manifest.json is not what was written": lambda kept: flip(kept / "manifest.json"),
    "is no backup": lambda kept: (kept / "manifest.sha256").unlink(),
}


@pytest.mark.parametrize("says", DAMAGES)
def test_a_damaged_backup_changes_nothing(settings: Settings, kept: Path, screen: Silent, says: str) -> None:
    DAMAGES[says](kept)
    before = state(settings.home)
    with pytest.raises(Problem, match=says):
        bring_back(settings, kept, screen, wipe=True)
    assert state(settings.home) == before
    assert {path.name for path in settings.home.parent.iterdir()} == {"home", "kept"}


def test_a_backup_of_another_format_is_refused(settings: Settings, kept: Path, screen: Silent) -> None:
    manifest.write(kept, msgspec.structs.replace(manifest.read(kept), format="bdp-backup-0"))
    with pytest.raises(Problem, match="another format than bdp-backup-1"):
        bring_back(settings, kept, screen, wipe=True)


def test_what_newer_programs_wrote_is_refused(
    settings: Settings, kept: Path, screen: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(versions, "present", lambda: {"kafka": "4.0.9"})
    shutil.rmtree(settings.home)
    written = manifest.read(kept).versions["kafka"]
    with pytest.raises(Problem, match=f"kafka {written}, here 4.0.9"):
        bring_back(settings, kept, screen, wipe=False)
    assert not settings.home.exists()


def test_a_home_that_is_written_meanwhile_is_no_backup(
    settings: Settings, tmp_path: Path, screen: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def copy_and_write(source: Path, target: Path) -> str:
        (settings.home / ROWS).write_bytes(b"more")
        return copy(source, target)

    copy = copying.copy_file
    monkeypatch.setattr(copying, "copy_file", copy_and_write)
    with pytest.raises(Problem, match=f"{ROWS} in .* was written while it was copied"):
        back_up(settings, tmp_path / "kept", screen)
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_what_ran_runs_again_also_where_it_fails(
    settings: Settings, tmp_path: Path, screen: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs, started = [["api", "kafka"], []], []
    monkeypatch.setattr(quiet, "running", lambda _: runs.pop(0))
    monkeypatch.setattr(quiet.start, "up", lambda _, names, **__: started.append(names))
    monkeypatch.setattr(copying, "copy_file", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    with pytest.raises(KeyboardInterrupt):
        back_up(settings, tmp_path / "kept", screen)
    assert started == [["api", "kafka"]]
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


def test_a_disk_without_room_is_told_before_anything_stops(
    settings: Settings, tmp_path: Path, screen: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quiet, "counted", lambda *_: pytest.fail("it was stopped"))
    monkeypatch.setattr(drafts.shutil, "disk_usage", lambda _: SimpleNamespace(free=0))
    with pytest.raises(DiskFull, match="0 MiB are free there"):
        back_up(settings, tmp_path / "kept", screen)
    assert {path.name for path in tmp_path.iterdir()} == {"home"}


@pytest.mark.parametrize("place", ["home/kept", ".", "taken"])
def test_a_place_that_can_not_be_is_refused(
    settings: Settings, tmp_path: Path, screen: Silent, place: str
) -> None:
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").touch()
    with pytest.raises(Problem, match=r"lie in each other|is there already"):
        back_up(settings, tmp_path / place, screen)


KILLED = """
import os, signal, sys
from pathlib import Path
from bdp_assets.operations.backup.drafts import draft
with draft(Path(sys.argv[1]), ".partial") as folder:
    (folder / "half").write_text("of it")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_killed_in_the_middle_leaves_nothing_that_looks_whole(
    settings: Settings, tmp_path: Path, screen: Silent
) -> None:
    died = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "kept")], check=False)
    assert died.returncode == -signal.SIGKILL
    assert {path.name for path in tmp_path.iterdir()} == {"home", "kept.partial"}
    with pytest.raises(Problem, match="is no backup"):
        manifest.read(tmp_path / "kept.partial")
    back_up(settings, tmp_path / "kept", screen)
    assert {path.name for path in tmp_path.iterdir()} == {"home", "kept"}
    assert not (tmp_path / "kept" / "half").exists()


def test_two_do_not_write_the_same_draft(tmp_path: Path) -> None:
    with (
        drafts.draft(tmp_path / "kept", ".partial"),
        pytest.raises(Problem, match="Another `bdp` writes"),
        drafts.draft(tmp_path / "kept", ".partial"),
    ):
        pytest.fail("both write")
    assert os.listdir(tmp_path) == ["kept"]  # noqa: PTH208 - names alone


def test_a_folder_of_somebody_else_is_not_removed(tmp_path: Path) -> None:
    (tmp_path / "kept.partial" / "theirs").mkdir(parents=True)
    with (
        pytest.raises(Problem, match="is in the way"),
        drafts.draft(tmp_path / "kept", ".partial"),
    ):
        pytest.fail("it was removed")


@pytest.mark.parametrize(
    ("field", "value"), [("redis_url", "redis://store.example.com/0"), ("lake_url", "/elsewhere")]
)
def test_a_part_of_the_data_elsewhere_is_refused(
    settings: Settings, tmp_path: Path, screen: Silent, field: str, value: str
) -> None:
    with pytest.raises(Problem, match=f"BDP_{field.upper()} is set"):
        back_up(settings.model_copy(update={field: value}), tmp_path / "kept", screen)


def test_what_counts_otherwise_is_told(
    settings: Settings, kept: Path, screen: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = manifest.read(kept)
    prove(settings, taken, screen)
    monkeypatch.setattr(quiet, "counted", lambda *_: ({"postgres": {"bdp.public.t": 0}}, {}))
    with pytest.raises(Problem, match=r"postgres: bdp\.public\.t was 1, is 0"):
        prove(settings, taken, screen)


def test_what_can_not_be_counted_is_told(
    settings: Settings, kept: Path, screen: Silent, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: object) -> None:
        raise StoreUnavailable("it is away")

    monkeypatch.setattr(quiet, "counted", away)
    with pytest.raises(Problem, match="could not be counted: it is away"):
        prove(settings, manifest.read(kept), screen)
