"""Every page: its links lead somewhere, and it reads on the site as it reads on GitHub."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from mkdocs.config import load_config

from bdp_assets.contracts.topics import TOPICS
from bdp_assets.project import PROJECT
from bdp_assets_tests.docs import api_page, nav
from bdp_assets_tests.docs.links import broken
from bdp_assets_tests.docs.pages import DOCS, name_of, pages, prose
from bento.access.scopes import NEEDS

MIGRATION = (DOCS / "migration.md").read_text()
_OPENS_A_LIST_OR_TABLE = re.compile(r"- |\d+\. |\|")
_GOES_ON = re.compile(r"- |\d+\. |\||#| |$|<!--")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_its_links_lead_somewhere(page: Path) -> None:
    assert broken(page) == []


def test_a_link_to_a_missing_file_or_heading_is_found(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# What `it` is, and why\n```\n# no heading\n```\n")
    page = tmp_path / "page.md"
    page.write_text(
        "[a](there.md) [b](there.md#what-it-is-and-why) [c](https://example.org) [d](#here)\n## Here\n"
        "[e](gone.md)\n[f](there.md#no-heading)\n![g](gone.svg)\n```\n[h](in-code.md)\n```\n"
    )
    assert broken(page) == ["3: gone.md", "4: there.md#no-heading", "5: gone.svg"]


@pytest.mark.parametrize("page", sorted(DOCS.rglob("*.md")), ids=name_of)
def test_it_reads_alike_on_github_and_on_the_site(page: Path) -> None:
    """The site wants an empty line before a list or table, and has no Mermaid without a network."""
    text = page.read_text()
    lines = dict(prose(text))
    glued = [
        number
        for number, line in lines.items()
        if _OPENS_A_LIST_OR_TABLE.match(line) and not _GOES_ON.match(lines.get(number - 1, ""))
    ]
    assert glued == []
    assert "```mermaid" not in text


def test_the_api_reference_is_the_document_of_the_api() -> None:
    """Made anew with BDP_RECORD=1."""
    page = DOCS / "api-reference.md"
    if os.environ.get("BDP_RECORD"):
        page.write_text(api_page.page())
    assert page.read_text() == api_page.page()
    assert all(f" {path}\n" in page.read_text() for path in NEEDS)


def test_decisions_are_in_the_menu_in_order() -> None:
    config = nav.on_config(load_config(str(PROJECT / "mkdocs.yml")))
    [section] = [entry[nav.SECTION] for entry in config.nav or [] if nav.SECTION in entry]
    assert section == [f"adr/{path.name}" for path in sorted((DOCS / "adr").iterdir())]


@pytest.mark.parametrize("name", [*TOPICS, *NEEDS])
def test_the_migration_names_what_there_is(name: str) -> None:
    assert name in MIGRATION


def test_the_migration_names_files_that_are_there() -> None:
    right = "\n".join(line.split("|")[2] for line in MIGRATION.splitlines() if line.startswith("|"))
    ours = re.findall(r"`((?:bdp_assets|bento|schemas|deploy|notebooks)/[\w./-]*)`", right)
    assert len(ours) >= 15
    assert [path for path in ours if not (PROJECT / path).exists()] == []
