"""The broker that was is fenced before it starts again; the first one starts at once."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from bdp_assets.runtime import kafka_start

CONTROLLER = """
import sys, time, pathlib
pathlib.Path({told!r}).write_text(" ".join(sys.argv[1:]))
print("starting", flush=True)
print({says!r}, flush=True)
time.sleep(60)
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    return data


def test_whether_there_was_one(data: Path) -> None:
    assert not kafka_start.has_run(data)
    (data / "recovery-point-offset-checkpoint").touch()
    assert kafka_start.has_run(data)
    (data / ".kafka_cleanshutdown").touch()
    assert kafka_start.has_run(data), "also when it ended as it should"


def controller(tmp_path: Path, says: str) -> list[str]:
    return [sys.executable, "-c", CONTROLLER.format(told=str(tmp_path / "told"), says=says)]


def test_the_controller_runs_until_it_has_fenced_the_broker(tmp_path: Path) -> None:
    assert kafka_start.fence(controller(tmp_path, "Fencing broker 1 at epoch 12 because ..."))


def test_nobody_waits_for_ever_for_a_broker_that_is_fenced_already(tmp_path: Path) -> None:
    assert not kafka_start.fence(controller(tmp_path, "nothing to do"), patience_s=1.0)


@pytest.mark.parametrize("has_run", [True, False])
def test_then_the_broker_takes_its_place(data: Path, monkeypatch: pytest.MonkeyPatch, has_run: bool) -> None:
    if has_run:
        (data / "recovery-point-offset-checkpoint").touch()
    started: list[list[str]] = []
    monkeypatch.setattr(os, "execvp", lambda _, command: started.append(command))
    command = [*controller(data.parent, "Fencing broker 1"), str(data.parent / "server.properties")]

    kafka_start.main(command)

    assert started == [command]
    told = data.parent / "told"
    assert told.exists() == has_run
    if has_run:
        assert told.read_text() == str(data.parent / kafka_start.CONTROLLER)
