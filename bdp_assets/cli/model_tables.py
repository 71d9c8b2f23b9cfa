"""How two versions beside each other, and a version before the gates, look in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from bdp_assets.operations.promotion import Contest
from bdp_assets.training.bootstrap import Difference
from bdp_assets.training.contest import AP, AUC, DAILY_COST, ERROR
from bdp_assets.training.gate import Gate

TITLES = {AP: "average precision", AUC: "ROC AUC", ERROR: "calibration error"}
COST = "realised cost a day"
_VERDICTS = {True: "yes", False: "no", None: "not judged"}


def contested(contest: Contest) -> Group:
    """The transactions, and a row for each figure."""
    table = differences_table(f"version {contest.one}", f"version {contest.other}", contest.figures)
    note = (
        f"{contest.first} to {contest.last}, which neither learned from: {contest.transactions:,} "
        f"transactions, {contest.frauds:,} known frauds"
    )
    return Group(note, table)


def differences_table(one: str, other: str, figures: Mapping[str, Difference]) -> Table:
    """A row for each of `contest.FIGURES`."""
    table = Table("", one, other, "difference", "95% interval")
    for column in table.columns[1:]:
        column.justify = "right"
    for name, title in TITLES.items():
        table.add_row(title, *_cells(figures[name], ".4f"))
    table.add_row(COST, *_cells(_major(figures[DAILY_COST]), ",.2f"))
    return table


def gates_table(gates: Sequence[Gate]) -> Table:
    table = Table("gate", "passed", "because")
    for gate in gates:
        table.add_row(gate.name, _VERDICTS[gate.passed], escape(gate.says))
    return table


def _cells(found: Difference, form: str) -> tuple[str, ...]:
    signed = [f"{value:+{form}}" for value in (found.value, found.low, found.high)]
    return f"{found.one:{form}}", f"{found.other:{form}}", signed[0], f"{signed[1]} to {signed[2]}"


def _major(found: Difference) -> Difference:
    """Of minor units."""
    return Difference(found.one / 100, found.other / 100, found.low / 100, found.high / 100)
