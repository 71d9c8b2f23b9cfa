"""What is said of a program, by what the supervisor knows and what the program answers."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from threading import Event

import pytest

from bdp_assets.runtime import orphans, services, status
from bdp_assets.runtime.parts import Program
from bdp_assets.runtime.pulse import Pulse
from bdp_assets.runtime.status import Status
from bdp_assets.runtime.supervisor import ProgramState, Supervisor
from bdp_assets.settings import Settings

PATIENCE_S = 5.0


def program(healthy: Callable[[Settings], bool]) -> Program:
    return Program("thing", lambda _: [], healthy)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


@pytest.fixture
def say(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Callable[..., tuple[str, str]]:
    """State and detail of a program that is so, seen once."""
    monkeypatch.setattr(status, "PATIENCE_S", PATIENCE_S)
    monkeypatch.setattr(orphans, "roots", lambda _home: {})

    def seen(healthy: bool, state: str = "running", uptime_s: int = 500) -> tuple[str, str]:
        thing = program(lambda _: healthy)
        monkeypatch.setattr(services, "PROGRAMS", (thing,))
        monkeypatch.setattr(services, "BY_NAME", {"thing": thing})
        told = {"thing": ProgramState("thing", state, os.getpid(), uptime_s, "in supervisord's words")}
        monkeypatch.setattr(Supervisor, "states", lambda _self: told)
        (row,) = Status(settings).rows()
        return row.state, row.detail

    return seen


def test_what_answers_runs_however_young_it_is(say: Callable[..., tuple[str, str]]) -> None:
    assert say(True, uptime_s=1) == ("running", "")


def test_what_does_not_answer_starts_and_later_is_silent(say: Callable[..., tuple[str, str]]) -> None:
    assert say(False, uptime_s=5) == ("starting", "")
    state, detail = say(False)
    assert state == "silent"
    assert "bdp logs thing" in detail


@pytest.mark.parametrize("state", ["backoff", "fatal"])
def test_what_went_wrong_is_told_with_where_to_look(say: Callable[..., tuple[str, str]], state: str) -> None:
    word, detail = say(True, state=state)
    assert word == state
    assert "bdp logs thing" in detail


def test_programs_whose_supervisor_died_are_not_called_stopped(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Supervisor, "states", lambda _self: {})
    monkeypatch.setattr(orphans, "roots", lambda _home: {"redis": orphans.psutil.Process()})
    seen = {row.name: row for row in Status(settings).rows()}
    assert (seen["redis"].state, seen["redis"].pid) == ("unwatched", os.getpid())
    assert seen["kafka"].state == "stopped"


def test_nobody_waits_for_a_silent_program(settings: Settings) -> None:
    answers = Event()
    pulse = Pulse(settings)
    thing = program(lambda _: answers.wait(60))
    assert pulse.beats(thing, 1) is None
    pulse.wait(0.01)
    assert pulse.beats(thing, 1) is None
    answers.set()
    pulse.wait(PATIENCE_S)
    assert pulse.beats(thing, 1) is True


def test_an_answer_of_a_process_that_is_gone_does_not_count(settings: Settings) -> None:
    pulse = Pulse(settings)
    thing = program(lambda _: True)
    pulse.beats(thing, 1)
    pulse.wait(PATIENCE_S)
    assert pulse.beats(thing, 1) is True
    assert pulse.beats(thing, 2) is None


def test_a_program_is_asked_again_when_its_answer_is_old(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bdp_assets.runtime.pulse.AGAIN_S", -1.0)
    answers = iter((True, False, False))
    pulse, thing = Pulse(settings), program(lambda _: next(answers))
    pulse.beats(thing, 1)
    pulse.wait(PATIENCE_S)
    assert pulse.beats(thing, 1) is True
    pulse.wait(PATIENCE_S)
    assert pulse.beats(thing, 1) is False
