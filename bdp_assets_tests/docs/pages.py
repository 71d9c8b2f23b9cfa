"""Every page of Markdown that people read, and its lines outside code."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from bdp_assets.project import PROJECT

DOCS = PROJECT / "docs"
FENCE = "```"


def pages() -> list[Path]:
    """Those beside the README, and all under docs/."""
    return sorted([*PROJECT.glob("*.md"), *DOCS.rglob("*.md")])


def name_of(page: Path) -> str:
    """As people name it: relative to the checkout where it is inside."""
    return str(page.relative_to(PROJECT)) if page.is_relative_to(PROJECT) else str(page)


def prose(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are not in a fenced block, with their numbers (from 1)."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if line.startswith(FENCE):
            fenced = not fenced
        elif not fenced:
            yield number, line
