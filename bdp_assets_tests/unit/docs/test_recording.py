"""The recording in the README: kept small, fetching nothing, at the ports that a reader has."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from bdp_assets.project import PROJECT
from bdp_assets.settings import Settings
from bdp_assets_tests.docs.recording import MOST_BYTES, PICTURES, run_in_terminal, shown

SHOWN_IN = {
    "demo": ("README.md", "docs/images/demo.svg"),
    "watch": ("docs/operations.md", "images/watch.svg"),
}


def picture(name: str) -> str:
    return (PROJECT / "docs" / "images" / f"{name}.svg").read_text()


@pytest.mark.parametrize("name", PICTURES)
def test_the_picture_is_small_fetches_nothing_and_is_shown(name: str) -> None:
    text = picture(name)
    assert len(text.encode()) <= MOST_BYTES
    assert "@font-face" not in text
    page, path = SHOWN_IN[name]
    assert re.search(rf"!\[[^]]+\]\({path}\)", (PROJECT / page).read_text())


@pytest.mark.parametrize("name", PICTURES)
def test_it_shows_every_command(name: str) -> None:
    text = picture(name).replace("&#160;", " ")
    assert [command for command in PICTURES[name].commands if f"bdp {' '.join(command)}" not in text] == []


def test_a_command_sees_a_terminal_and_its_end_is_told() -> None:
    script = "import sys; print(sys.stdout.isatty()); sys.exit(3)"
    assert run_in_terminal([sys.executable, "-c", script], 80) == (3, "True\r\n")


def test_long_outputs_keep_their_last_line_and_ports_are_the_default_ones(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, api_port=31000)  # type: ignore[call-arg]
    lines = ["at http://localhost:31000", *map(str, range(100)), "all is well", "\x1b[0m"]
    told = shown("\n".join(lines), settings, most_lines=10).splitlines()
    assert told[0] == "at http://localhost:5001"
    assert len(told) == 10
    assert told[-2:] == ["...", "all is well"]
