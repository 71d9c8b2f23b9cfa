"""The recording in the README: kept small, fetching nothing, at the ports that a reader has."""

from __future__ import annotations

import sys
from pathlib import Path

from bdp_assets.runtime.home import PROJECT
from bdp_assets.settings import Settings
from bdp_assets_tests.docs.recording import COMMANDS, MOST_BYTES, run_in_terminal, shown

PICTURE = PROJECT / "docs/images/demo.svg"


def test_the_picture_is_small_and_fetches_nothing() -> None:
    text = PICTURE.read_text()
    assert len(text.encode()) <= MOST_BYTES
    assert "@font-face" not in text
    assert "![" in (PROJECT / "README.md").read_text()
    assert "docs/images/demo.svg" in (PROJECT / "README.md").read_text()


def test_it_shows_every_command() -> None:
    text = PICTURE.read_text().replace("&#160;", " ")
    assert [command for command in COMMANDS if f"bdp {' '.join(command)}" not in text] == []


def test_a_command_sees_a_terminal_and_its_end_is_told() -> None:
    script = "import sys; print(sys.stdout.isatty()); sys.exit(3)"
    assert run_in_terminal([sys.executable, "-c", script]) == (3, "True\r\n")


def test_long_outputs_keep_their_last_line_and_ports_are_the_default_ones(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, home=tmp_path, api_port=31000)  # type: ignore[call-arg]
    lines = ["at http://localhost:31000", *map(str, range(100)), "all is well"]
    told = shown("\n".join(lines), settings).splitlines()
    assert told[0] == "at http://localhost:5001"
    assert told[-2:] == ["...", "all is well"]
