"""How Bentos look in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from rich.markup import escape
from rich.table import Table

from bdp_assets.operations.bento_build import BuiltBento


def listed(bentos: Sequence[BuiltBento]) -> Table:
    table = Table(title=f"{len(bentos)} Bentos", title_justify="left")
    for column in ("tag", "model digest", "policy", "rules", "built", "bytes"):
        table.add_column(column, overflow="fold", justify="right" if column == "bytes" else "left")
    for bento in bentos:
        table.add_row(*map(escape, _cells(bento)))
    return table


def _cells(bento: BuiltBento) -> tuple[str, ...]:
    contents = bento.contents
    return (
        bento.tag,
        contents.model_digest,
        contents.policy_version,
        contents.rules_version,
        f"{bento.built_at.astimezone(UTC):%Y-%m-%d %H:%M} UTC",
        f"{bento.size_bytes:,}",
    )
