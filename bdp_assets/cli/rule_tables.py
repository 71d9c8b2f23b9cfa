"""How rules and their back-test look in a terminal."""

from __future__ import annotations

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from bdp_assets.decisions.rules import Rule, RuleCatalog
from bdp_assets.operations.rule_backtest import Backtest, Backtested, Figures


def listed(catalog: RuleCatalog) -> Table:
    table = Table(title=f"{len(catalog.rules)} rules, version {catalog.version}", title_justify="left")
    for column in ("name", "action", "severity", "threshold", "when"):
        table.add_column(column, overflow="fold")
    for rule in catalog.rules:
        table.add_row(*map(escape, _cells(rule)))
    return table


def shown(rule: Rule) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in zip(("name", "action", "severity", "threshold", "when"), _cells(rule), strict=True):
        table.add_row(f"[bold]{name}[/]", escape(value))
    table.add_row("[bold]reason[/]", escape(rule.entry.reason))
    table.add_row("[bold]means[/]", escape(str(rule.condition)))
    return table


def tested(result: Backtest) -> Group:
    """The range, and a table for each catalog."""
    known = (
        f"{result.first} to {result.last}: {result.transactions:,} transactions, {result.frauds:,} known "
        f"frauds ({_money(result.fraud_amount_minor)}), {result.flagged:,} flagged by model and policy"
    )
    notes = [known]
    if result.undecided:
        notes.append(
            f"{result.undecided:,} have no record of a decision; who decided: {result.others_decided_by}."
        )
    if result.left_out:
        notes.append(f"{result.left_out:,} have features of another catalog and are left out.")
    return Group(*notes, *(_figures(name, one) for name, one in result.catalogs.items()))


def _cells(rule: Rule) -> tuple[str, ...]:
    entry = rule.entry
    threshold = "" if entry.threshold is None else f"{entry.threshold:,}"
    return entry.name, entry.action.value, entry.severity.value, threshold, entry.when


def _figures(name: str, result: Backtested) -> Table:
    table = Table(title=f"\n{name} rules, version {result.version}", title_justify="left")
    for column in ("rule", "action"):
        table.add_column(column, overflow="fold")
    columns = ("hits", "a day", "frauds", "precision", "recall", "caught", "good customers", "known already")
    for column in (*columns, "frauds added"):
        table.add_column(column, justify="right")
    for figures in result.figures:
        table.add_row(*_row(figures), end_section=figures is result.figures[-2:][0])
    return table


def _row(figures: Figures) -> tuple[str, ...]:
    return (
        figures.rule,
        figures.action,
        f"{figures.hits:,}",
        f"{figures.hits_per_day:,.1f}",
        f"{figures.frauds:,}",
        _share(figures.precision),
        _share(figures.recall),
        _money(figures.fraud_amount_minor),
        f"{figures.good_customers:,}",
        f"{figures.already_flagged:,}",
        f"{figures.added_frauds:,}",
    )


def _share(value: float | None) -> str:
    return "-" if value is None else f"{value:.1%}"


def _money(minor: int) -> str:
    return f"{minor / 100:,.2f}"
