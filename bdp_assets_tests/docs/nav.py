"""A hook of MkDocs: the decisions in docs/adr/ are in the site's menu by being there."""

from __future__ import annotations

from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig

SECTION = "Why it is so"


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Fill the section that mkdocs.yml leaves empty, in the order of their numbers."""
    decisions = sorted((Path(config.docs_dir) / "adr").glob("*.md"))
    [section] = [entry for entry in config.nav or [] if SECTION in entry]
    section[SECTION] = [f"adr/{decision.name}" for decision in decisions]
    return config
