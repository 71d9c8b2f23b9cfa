"""A disk that is full, or gets full while the platform starts: a real one, a small file system in memory."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from rich.console import Console

from bdp_assets.cli.bars import BarScreen
from bdp_assets.operations.backup import drafts, quiet
from bdp_assets.operations.backup.taking import back_up
from bdp_assets.runtime import home as homes
from bdp_assets.runtime import orphans, services
from bdp_assets.runtime import platform as runtime
from bdp_assets.runtime.problems import DiskFull
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.conftest import make_settings

pytestmark = pytest.mark.services

SERVICES = ["postgres", "redis", "kafka"]
Resize = Callable[[str], None]


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of 40 MB that PostgreSQL's user can enter."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a disk to fill")
    place = Path(tempfile.mkdtemp(prefix=f"bdp-test-{os.getpid()}-disk-"))
    try:
        mounted = mount("size=40m,mode=755", place, "bdp-test")
        if mounted.returncode:
            pytest.skip(f"no disk to fill: {mounted.stderr.strip()}")
        yield place
        subprocess.run(["umount", str(place)], check=True)
    finally:
        place.rmdir()


def mount(options: str, place: Path, *source: str) -> subprocess.CompletedProcess[str]:
    command = ["mount", "-t", "tmpfs", "-o", options, *source, str(place)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture
def settings(disk: Path) -> Iterator[Settings]:
    settings = make_settings(disk / "home")
    yield settings
    runtime.down(settings)


@pytest.fixture
def resize(disk: Path) -> Resize:
    def resize(size: str) -> None:
        mount(f"remount,size={size}", disk).check_returncode()

    return resize


def test_a_full_disk_is_told_nothing_is_left_and_with_room_it_starts(
    settings: Settings, resize: Resize
) -> None:
    assert_told(settings, start(settings))

    resize("3g")
    # There is room when it begins, and 40 MB of it when PostgreSQL, Valkey and Kafka make their files.
    filled_meanwhile = start(settings, on_first=lambda: resize("40m"))
    assert "PostgreSQL" in filled_meanwhile.what, "it says what came of it"
    assert_told(settings, filled_meanwhile)

    resize("3g")
    runtime.up(settings, SERVICES)
    assert all(services.find(name).healthy(settings) for name in SERVICES)


def test_a_full_disk_that_ends_the_supervisor_is_told_and_nothing_is_left(
    settings: Settings, resize: Resize
) -> None:
    resize("3g")

    def end_supervisor() -> None:
        resize("40m")
        found = [one for one in orphans.find(settings.home) if "supervisor.supervisord" in one.cmdline()]
        # A program that it is about to start looks like it for a moment.
        [supervisor] = [one for one in found if one.ppid() not in {other.pid for other in found}]
        supervisor.kill()
        supervisor.wait(5)

    problem = start(settings, on_first=end_supervisor)

    assert "The supervisor" in problem.what
    assert_told(settings, problem)


def start(settings: Settings, on_first: Callable[[], None] = lambda: None) -> DiskFull:
    """Starts, which must fail; `on_first` is called once, when the first program is about to start."""
    pending = [on_first]
    with pytest.raises(DiskFull) as told:
        runtime.up(settings, SERVICES, report=lambda *_: pending.pop()() if pending else None)
    return told.value


def assert_told(settings: Settings, problem: DiskFull) -> None:
    """The folder, what is free and what to do; and that nothing runs."""
    assert f"on the disk of {settings.home}" in problem.what
    assert "MiB are free" in problem.what
    assert "needs 2 GiB" in problem.what
    assert "Make room there, or set BDP_HOME" in problem.do
    assert not Supervisor(settings.home).alive()
    assert orphans.find(settings.home) == []


def test_a_disk_that_fills_in_mid_backup_holds_none(
    disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    homes.prepare(home)
    for name in ("first", "second"):
        (home / name).write_bytes(os.urandom(30 * 2**20))
    monkeypatch.setattr(quiet, "counted", lambda *_: ({}, {}))
    monkeypatch.setattr(drafts, "require_room", lambda *_: None)
    settings = Settings(_env_file=None, home=home)  # type: ignore[call-arg]
    with BarScreen(Console(quiet=True)) as screen, pytest.raises(DiskFull, match="is full"):
        back_up(settings, disk / "kept", screen)
    assert list(disk.iterdir()) == []
