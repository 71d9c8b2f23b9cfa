from __future__ import annotations

import io

import pytest
from rich.console import Console

from bdp_assets.cli.bars import BarScreen
from bdp_assets.cli.demo_screen import Terminal
from bdp_assets.operations.progress import Bar

WHOLE = Bar("history", "", 3, 630, "days of tables")


@pytest.fixture(autouse=True)
def _(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(
        "TERM", "xterm"
    )  # Rich takes a dumb terminal for 80 columns wide, whatever it is told.


def console(*, terminal: bool, width: int = 120) -> Console:
    return Console(file=io.StringIO(), force_terminal=terminal, width=width, color_system=None)


def text(of: Console) -> str:
    assert isinstance(of.file, io.StringIO)
    return of.file.getvalue()


@pytest.mark.parametrize("width", [60, 80, 160])
def test_a_bar_says_what_is_done_how_much_of_it_and_for_how_long(width: int) -> None:
    screen = BarScreen(console(terminal=True, width=width))
    screen.bars([WHOLE, Bar("raw_labels", "read")])
    screen.console.print(screen.under_way())
    whole, step = text(screen.console).splitlines()
    assert "history" in whole
    assert "3 of 630 days of tables" in whole
    assert "raw_labels" in step
    assert whole.rstrip().endswith("0:00")
    assert max(len(whole), len(step)) <= width


def test_without_a_terminal_a_phase_is_one_line_however_often_it_is_told() -> None:
    with BarScreen(console(terminal=False)) as screen:
        for done in range(3):
            screen.bars([WHOLE, Bar("clean", "check the contract", done, 3, "rows")])
        screen.bars([WHOLE, Bar("clean", "write")])
        screen.line("all [is] well")
    lines = [line.split(maxsplit=2)[-1] for line in text(screen.console).splitlines()]
    assert lines == ["clean: check the contract", "clean: write", "well"]


def test_parts_that_start_have_a_clock_and_those_that_run_already_are_told_once() -> None:
    screen = Terminal(console(terminal=False))
    screen.step("Services")
    screen.report("kafka", "starting", "fetching jars")
    screen.console.print(screen.under_way())
    assert "fetching jars" in text(screen.console)
    screen.report("kafka", "ready", "3.0 s")
    screen.step("API and stream")
    screen.report("kafka", "running", "")
    assert text(screen.console).count("✓ kafka") == 1


def test_traffic_is_a_table_with_a_number_a_topic() -> None:
    screen = Terminal(console(terminal=True))
    screen.step("Live traffic")
    screen.traffic(1_200, {"transactions-raw-v1": 1_199})
    screen.console.print(screen.under_way())
    assert "1,200" in text(screen.console)
    assert "1,199" in text(screen.console)
