from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest

from bdp_assets.clients import dagster
from bdp_assets.clients.dagster import ControlPlaneUnavailable, Event, Page
from bdp_assets.operations import run_follow
from bdp_assets.operations.progress import Bar
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

Answer = Page | ControlPlaneUnavailable
Follow = Callable[..., list[str | None]]


class Screen:
    def __init__(self) -> None:
        self.lines: list[str] = []
        self.shown: list[Sequence[Bar]] = []

    def line(self, text: str) -> None:
        self.lines.append(text)

    def bars(self, bars: Sequence[Bar]) -> None:
        self.shown.append(bars)


@pytest.fixture
def screen() -> Screen:
    return Screen()


@pytest.fixture
def follow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, screen: Screen) -> Follow:
    """Follows a run that answers so; returns the cursors that were asked for."""
    cursors: list[str | None] = []

    def run(*answers: Answer) -> list[str | None]:
        waiting: Iterator[Answer] = iter(answers)

        def page(_settings: Settings, _run: str, after: str | None) -> Page:
            cursors.append(after)
            answer = next(waiting)
            if isinstance(answer, Page):
                return answer
            raise answer

        monkeypatch.setattr(dagster, "page", page)
        run_follow.follow(Settings(home=tmp_path), "run-1", "history", screen)
        return cursors

    monkeypatch.setattr(run_follow, "POLL_S", 0.0)
    monkeypatch.setattr(run_follow, "require_alive", lambda *_: None)
    return run


def page(status: str, *events: Event, cursor: str = "c", more: bool = False) -> Page:
    return Page(status, events, cursor, more)


def failure(step: str, text: str) -> Event:
    return Event("STEP_FAILURE", step, text, 0.0)


def test_each_page_is_asked_for_after_the_one_before(follow: Follow) -> None:
    pages = page("QUEUED", cursor="1"), page("SUCCESS", cursor="2", more=True), page("SUCCESS", cursor="3")
    assert follow(*pages) == [None, "1", "2"]


def test_the_bars_are_gone_at_the_end(follow: Follow, screen: Screen) -> None:
    follow(page("STARTED"), page("SUCCESS"))
    assert screen.shown[0][0].name == "history"
    assert screen.shown[-1] == ()
    assert "/runs/run-1" in screen.lines[0]


def test_a_webserver_that_comes_back_is_waited_for(follow: Follow) -> None:
    away = ControlPlaneUnavailable("no answer")
    assert follow(page("STARTED", cursor="1"), away, away, page("SUCCESS")) == [None, "1", "1", "1"]


def test_one_that_stays_away_is_told(follow: Follow, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run_follow, "SILENCE_S", -1.0)
    with pytest.raises(ControlPlaneUnavailable):
        follow(ControlPlaneUnavailable("no answer"))


def test_a_failed_run_is_told_with_its_reason_its_log_and_what_to_do(
    follow: Follow, monkeypatch: pytest.MonkeyPatch
) -> None:
    head = "2026-11-24 14:27:08 +0000 - dagster - DEBUG - history_backfill - "
    head += "548132bb-21d8-4778-b745-8182e036d1ee - 17894 - raw_labels - "
    log = [
        *(f"line {n}" for n in range(99)),
        head + "STEP_START - Started",
        head + "ASSET_MATERIALIZATION - x",
    ]
    monkeypatch.setattr(dagster, "output", lambda *_: "\n".join(log) + "\n")
    captured = Event("LOGS_CAPTURED", "", "abcd", 0.0)
    with pytest.raises(Problem) as told:
        follow(page("FAILURE", captured, failure("raw_labels", "no column 'when'")))
    assert "raw_labels: no column 'when'" in told.value.what
    assert told.value.what.endswith("line 98\n14:27:08 DEBUG raw_labels - STEP_START - Started")
    assert "line 80" not in told.value.what
    assert "/runs/run-1" in told.value.do


def test_a_run_that_was_stopped_says_so(follow: Follow) -> None:
    with pytest.raises(Problem, match="CANCELED"):
        follow(page("CANCELED"))
