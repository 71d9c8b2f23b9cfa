from __future__ import annotations

import io

import pytest
from rich.console import Console

from bdp_assets.cli import status_view
from bdp_assets.runtime.status import Row

RUNNING = Row("kafka", "running", 4711, 3_725, 300 * 1024**2, "127.0.0.1:9092")
DEAD = Row("scoring", "fatal", detail="ended too often")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(status_view, "console", Console(file=written, width=80, color_system=None))
    return written


def test_a_line_a_program_and_what_is_to_know_below(screen: io.StringIO) -> None:
    status_view.show([RUNNING, DEAD, Row("api", "fatal", detail="ended too often")])
    head, kafka, _, _, total, _, note = screen.getvalue().splitlines()
    assert head.split() == ["NAME", "STATE", "PID", "UP", "MEMORY", "ADDRESS"]
    assert kafka.split() == ["kafka", "running", "4711", "1:02:05", "300", "MB", "127.0.0.1:9092"]
    assert total.split() == ["total", "300", "MB"]
    assert note == "scoring, api: ended too often"


def test_nothing_moves_when_a_program_comes_and_goes(screen: io.StringIO) -> None:
    for row in (RUNNING, Row("kafka", "stopped", address="127.0.0.1:9092")):
        status_view.show([row, RUNNING])
    first, second = (line for line in screen.getvalue().splitlines() if line.startswith("NAME"))
    assert first.rstrip() == second.rstrip()
