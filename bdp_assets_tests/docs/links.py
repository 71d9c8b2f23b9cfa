"""Relative links: each leads to a file that is there, and to a heading that the page has."""

from __future__ import annotations

import re
from pathlib import Path

from bdp_assets_tests.docs.pages import prose

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_HEADING = re.compile(r"#+ (.+)")
_ELSEWHERE = re.compile(r"[a-z]+:")


def broken(page: Path) -> list[str]:
    """`line: target` of every relative link of the page that leads nowhere."""
    links = [(number, target) for number, line in prose(page.read_text()) for target in _LINK.findall(line)]
    return [f"{number}: {target}" for number, target in links if not _leads_somewhere(page, target)]


def anchors(page: Path) -> set[str]:
    """What its headings are called in a link."""
    found = (_HEADING.fullmatch(line) for _, line in prose(page.read_text()))
    return {_slug(heading[1]) for heading in found if heading}


def _leads_somewhere(page: Path, target: str) -> bool:
    if _ELSEWHERE.match(target):
        return True
    path, _, anchor = target.partition("#")
    file = page.parent / path if path else page
    return file.exists() and (not anchor or anchor in anchors(file))


def _slug(heading: str) -> str:
    return re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading).strip().lower())
