"""Equations for people and for programs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import msgspec
from rich.console import Group
from rich.table import Table

from bdp_assets.operations.ledger import Equation, Ledger

NOTHING: Mapping[str, Any] = MappingProxyType({})


def as_tables(
    ledger: Ledger, more: Mapping[str, Iterable[Equation]] = NOTHING, notes: Mapping[str, str] = NOTHING
) -> Group:
    """Tables for a terminal: counts, and the equations with their verdicts, the ledger's first.

    `more`: other equations by what they are about; `notes`: what to say beside that.
    """
    counts = Table("messages", "", title="Stream ledger", title_justify="left")
    counts.columns[1].justify = "right"
    for name, number in ledger.counts.items():
        counts.add_row(name, f"{number:,}")
    for code, number in ledger.refused.items():
        counts.add_row(f"  dead letters: {code}", f"{number:,}", style="dim")
    equations = Table("must hold", "left", "right", "")
    for says in ledger.equations:
        _add(equations, says)
    for name, group in more.items():
        equations.add_section()
        equations.add_row(f"[bold]{name}[/]: {notes[name]}" if notes.get(name) else f"[bold]{name}[/]")
        for says in group:
            _add(equations, says)
    return Group(counts, equations)


def _add(table: Table, equation: Equation) -> None:
    verdict = "[green]yes[/]" if equation.holds else "[red]NO[/]"
    table.add_row(equation.says, f"{equation.left:,}", f"{equation.right:,}", verdict)


def as_json(ledger: Ledger) -> dict[str, Any]:
    """Plain values: `balanced`, `counts`, `refused`, `equations` (says, left, right, at_least, holds)."""
    return {
        "balanced": ledger.balanced,
        "counts": dict(ledger.counts),
        "refused": dict(ledger.refused),
        "equations": equations_json(ledger.equations),
    }


def equations_json(equations: Iterable[Equation]) -> list[dict[str, Any]]:
    return [{**msgspec.to_builtins(equation), "holds": equation.holds} for equation in equations]
