"""A `dagster dev` and the platform's daemon: never both."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from bdp_assets.runtime import one_daemon

DAEMON = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).open('a').write('x'); time.sleep(60)"
DEV = (
    "import sys, time; from pathlib import Path; from bdp_assets.runtime import one_daemon;"
    "one_daemon.rest(Path(sys.argv[1])); print('up', flush=True); time.sleep(60)"
)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "run").mkdir()
    return tmp_path


@pytest.fixture
def dev(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock; it runs once the fixture is there."""
    command = [sys.executable, "-c", DEV, str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()
        yield process
        process.kill()


def until(condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + 10
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.02)
    return condition()


def test_however_a_dev_ends_the_lock_is_free(home: Path, dev: subprocess.Popen[str]) -> None:
    assert one_daemon.is_resting(home)
    dev.kill()
    dev.wait()
    assert not one_daemon.is_resting(home)


def test_without_a_platform_there_is_nothing_to_rest(tmp_path: Path) -> None:
    one_daemon.rest(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_daemon_rests_meanwhile_and_comes_back(
    home: Path, dev: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(one_daemon, "LOOK_S", 0.02)
    starts, stopped = home / "starts", Event()
    command = [sys.executable, "-c", DAEMON, str(starts)]
    keeper = Thread(target=one_daemon.keep, args=(home, command, stopped))
    keeper.start()
    try:
        time.sleep(0.3)
        assert not starts.exists()
        dev.kill()
        dev.wait()
        assert until(starts.exists)
    finally:
        stopped.set()
        keeper.join(10)
    assert not keeper.is_alive()


def test_a_daemon_that_ends_by_itself_is_for_the_supervisor_to_start_again(home: Path) -> None:
    assert one_daemon.keep(home, [sys.executable, "-c", "raise SystemExit(3)"], Event()) == 3
