"""How features look in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from bdp_assets.features.bulk.build import Built
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.lookup import Known
from bdp_assets.features.spec import Catalog


def described(catalog: Catalog) -> Table:
    table = Table(title=f"{len(catalog.names)} features, catalog {catalog.version}")
    for column in ("name", "definition", "unit", "description"):
        table.add_column(column, overflow="fold")
    for row in catalog.describe():
        table.add_row(*(escape(text) for text in row.values()))
    return table


def page(catalog: Catalog) -> str:
    """The catalog as a page of Markdown."""
    rows = ["| " + " | ".join(row.values()) + " |" for row in catalog.describe()]
    return "\n".join(
        [
            "# The feature catalog",
            "",
            "Made by `bdp features describe --markdown` from `bdp_assets/features/catalog.py`. "
            "[features.md](features.md) says what the words mean.",
            "",
            f"{len(catalog.names)} features, catalog version `{catalog.version}`.",
            "",
            "| name | definition | unit | description |",
            "|---|---|---|---|",
            *rows,
            "",
        ]
    )


def valued(known: Known) -> Table:
    table = Table("feature", "value", title=f"For a transaction at {_time(known.at_ms)}")
    for name, value in known.values.items():
        table.add_row(name, f"{value:,.6g}")
    return table


def stored(known: Known, last: int) -> Iterator[Table]:
    """The last rows of each part of the state; times in UTC."""
    for title, rows in known.state.items():
        if rows:
            table = Table(*rows[0], title=f"{title}: {len(rows)} stored, the last {min(last, len(rows))}")
            for row in rows[-last:]:
                table.add_row(*(_shown(name, value) for name, value in row.items()))
            yield table


def written(built: Built, output: Path) -> str:
    """One line about a file of features."""
    return (
        f"{built.rows:,} rows with {built.features} features in {built.seconds:.1f} s, "
        f"{built.peak_bytes / 1024**2:,.0f} MB at most: {output}"
    )


def left_out(needs: Mapping[str, str]) -> Iterator[str]:
    """A line for each thing that rows lack, with the features that they therefore do not get."""
    by_need: dict[str, list[str]] = {}
    for name, need in needs.items():
        by_need.setdefault(need, []).append(name)
    for need, names in by_need.items():
        yield f"Left out, as they need {need}: {', '.join(names)}"


def _shown(name: str, value: int) -> str:
    if name.endswith("_ms"):
        return "before" if value == BEFORE else _time(value)
    return f"{value:,}"


def _time(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat(sep=" ", timespec="milliseconds")
