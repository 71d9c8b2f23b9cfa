"""Commands that the docs name are commands that there are."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
from typer.main import get_command

from bdp_assets.cli.main import app
from bdp_assets.project import PROJECT
from bdp_assets_tests.docs.pages import name_of, pages

_CODE = re.compile(r"^```.*?\n(.*?)^```|`([^`\n]+)`", re.MULTILINE | re.DOTALL)
_BDP = re.compile(r"(?:^|&& |\$\(|=\S* )bdp ([a-z][a-z-]*)(?: ([a-z][a-z-]*))?(?=[ \n)]|$)", re.MULTILINE)
_MAKE = re.compile(r"^make ([a-z][a-z-]*)", re.MULTILINE)
TEXTS = [pytest.param(page.read_text(), id=name_of(page)) for page in pages()]


def code(text: str) -> Iterator[str]:
    """What a page has in blocks and between backticks."""
    return (block or span for block, span in _CODE.findall(text))


def unknown_commands(text: str) -> list[str]:
    """Commands of `bdp` that a page names and nobody has."""
    named = (found for piece in code(text) for found in _BDP.findall(piece))
    return [f"bdp {name} {sub}".strip() for name, sub in named if not _exists(name, sub)]


@cache
def _commands() -> dict[str, Any]:
    group: Any = get_command(app)
    commands: dict[str, Any] = group.commands
    return commands


def _exists(name: str, sub: str) -> bool:
    """A word after a command that has no commands of its own is an argument."""
    if name not in _commands():
        return False
    below = getattr(_commands()[name], "commands", None)
    return below is None or not sub or sub in below


def unknown_targets(text: str) -> set[str]:
    """Targets of make that a page names and the Makefile does not have."""
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    return {target for piece in code(text) for target in _MAKE.findall(piece)} - set(targets)


@pytest.mark.parametrize("text", TEXTS)
def test_what_a_page_says_to_type_exists(text: str) -> None:
    assert unknown_commands(text) == []
    assert unknown_targets(text) == set()


def test_what_nobody_has_is_found() -> None:
    text = (
        "make of it what you want: `bdp nothing`, `bdp models show 3`, `bdp models sohw`, `make dmeo`\n"
        "```\nbdp logs api\nBDP_A=b bdp gone\nmake test\n```\n"
    )
    assert unknown_commands(text) == ["bdp nothing", "bdp models sohw", "bdp gone"]
    assert unknown_targets(text) == {"dmeo"}
