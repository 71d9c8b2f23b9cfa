"""How `bdp upgrade` shows states, and what it ends with."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from bdp_assets.operations.upgrade.state import State


def table(states: Sequence[State]) -> Table:
    shown = Table("STATE", "HERE", "THIS VERSION", "", "TO DO", box=None)
    for state in states:
        shown.add_row(state.name, state.found, state.needed, state.verdict, state.do)
    return shown


def exit_code(states: Sequence[State]) -> int:
    """1 where `bdp upgrade` can not do it, else 3 where it can, else 0."""
    verdicts = {state.verdict for state in states}
    if verdicts & {"newer", "by hand"}:
        return 1
    return 3 if "due" in verdicts else 0
