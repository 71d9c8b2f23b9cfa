"""Blocks of shell that are marked as runnable.

The mark is a comment, alone on the line before the block, which no reader of the page sees:
`<!-- runnable -->` for what needs a checkout after `make setup` and nothing else,
`<!-- runnable: platform -->` for what needs the platform of `make demo` at its default ports,
`<!-- runnable: lesson -->` for a step of a lesson, which comes after those before it (see `lessons`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bdp_assets_tests.docs.pages import FENCE, name_of

_COMMENT = re.compile(r"<!--\s*runnable\b.*")
_MARK = re.compile(r"<!-- runnable(?:(?P<platform>: platform)|(?P<lesson>: lesson))? -->")
_SHELL = re.compile(f"{FENCE}(bash|sh|shell)?")


class MarkError(ValueError):
    """A mark that marks nothing; says which, and how one is written."""


@dataclass(frozen=True)
class Block:
    """Shell as it stands on the page; `line` is the number of its first line."""

    page: str
    line: int
    script: str
    needs_platform: bool
    of_lesson: bool = False

    @property
    def place(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(page: Path) -> list[Block]:
    """The runnable blocks of a page, in order. Raises MarkError."""
    return list(_marked(name_of(page), page.read_text().splitlines()))


def _marked(page: str, lines: list[str]) -> Iterator[Block]:
    for index, line in enumerate(lines):
        if not _COMMENT.match(line):
            continue
        mark, opening = _MARK.fullmatch(line), "".join(lines[index + 1 : index + 2])
        end = next((i for i in range(index + 2, len(lines)) if lines[i] == FENCE), None)
        if mark is None or not _SHELL.fullmatch(opening) or end is None:
            raise MarkError(
                f"{page}:{index + 1}: write `<!-- runnable -->`, `<!-- runnable: platform -->` or "
                "`<!-- runnable: lesson -->`, alone on the line before a closed block of shell"
            )
        script = "\n".join(lines[index + 2 : end]) + "\n"
        yield Block(page, index + 3, script, mark["platform"] is not None, mark["lesson"] is not None)
