"""The ledger for people and for programs."""

from __future__ import annotations

from typing import Any

import msgspec
from rich.console import Group
from rich.table import Table

from bdp_assets.operations.ledger import Ledger


def as_tables(ledger: Ledger) -> Group:
    """Two tables for a terminal: counts, and the equations with their verdicts."""
    counts = Table("messages", "", title="Stream ledger", title_justify="left")
    counts.columns[1].justify = "right"
    for name, number in ledger.counts.items():
        counts.add_row(name, f"{number:,}")
    for code, number in ledger.refused.items():
        counts.add_row(f"  dead letters: {code}", f"{number:,}", style="dim")
    equations = Table("must hold", "left", "right", "")
    for equation in ledger.equations:
        verdict = "[green]yes[/]" if equation.holds else "[red]NO[/]"
        equations.add_row(equation.says, f"{equation.left:,}", f"{equation.right:,}", verdict)
    return Group(counts, equations)


def as_json(ledger: Ledger) -> dict[str, Any]:
    """Plain values: `balanced`, `counts`, `refused`, `equations` (says, left, right, holds)."""
    equations = [{**msgspec.to_builtins(e), "holds": e.holds} for e in ledger.equations]
    return {
        "balanced": ledger.balanced,
        "counts": dict(ledger.counts),
        "refused": dict(ledger.refused),
        "equations": equations,
    }
