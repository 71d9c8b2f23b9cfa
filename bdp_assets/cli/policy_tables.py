"""How policies, their tuning and their back-test look in a terminal."""

from __future__ import annotations

from datetime import UTC, datetime

from rich.console import Group
from rich.markup import escape
from rich.table import Table

from bdp_assets.decisions.policy import Costs
from bdp_assets.operations.policies import ShownPolicy
from bdp_assets.operations.policy_figures import Comparison, PolicyFigures
from bdp_assets.operations.policy_tuning import SERVING, TUNED


def described(found: ShownPolicy) -> Table:
    table = Table.grid(padding=(0, 2))
    for name, value in _properties(found).items():
        table.add_row(f"[bold]{name}[/]", escape(value))
    return table


def compared(comparison: Comparison) -> Group:
    """The transactions, and a column for each policy."""
    names = [f"{name} {one.version}" for name, one in comparison.policies.items()]
    table = Table("", *names)
    for column in table.columns[1:]:
        column.justify = "right"
    for row in zip(*(_figures(one) for one in comparison.policies.values()), strict=True):
        table.add_row(row[0][0], *(value for _, value in row))
    says = [f"{name} {one.version}: {escape(one.says)}" for name, one in comparison.policies.items()]
    return Group(*_notes(comparison), *says, table)


def outcome(comparison: Comparison, restart: str, *, dry_run: bool) -> str:
    """What became of a tuned policy."""
    serving, tuned = (comparison.policies[name].version for name in (SERVING, TUNED))
    if serving == tuned:
        return f"Policy {serving} serves already: nothing is changed."
    if dry_run:
        return f"Policy {serving} still serves: this was a dry run."
    return f"Policy {tuned} serves now; `bdp policy use {serving}` goes back. {restart}"


def backtested(comparison: Comparison) -> Group:
    """As `compared`, then what each policy decides, and its days."""
    tables = [
        table
        for name, one in comparison.policies.items()
        for table in (_decisions(name, one), _days(name, one))
    ]
    return Group(compared(comparison), *tables)


def _properties(found: ShownPolicy) -> dict[str, str]:
    tuning = found.tuning
    serves = "no"
    if found.serves:
        serves = "as long as its model" if found.since_ms is None else f"since {_time(found.since_ms)}"
    tuned = f"{found.tuned}, with the model"
    if tuning:
        tuned = (
            f"{found.tuned}, {_time(tuning.tuned_at_ms)}, on {tuning.transactions:,} transactions of "
            f"{tuning.first} to {tuning.last}, {tuning.frauds:,} of them fraud"
        )
    return {
        "policy": found.policy.version,
        "says": found.says,
        "costs": costs_said(found.policy.costs) if found.policy.costs else "not said",
        "model": f"{found.model_name} {found.model_version} ({found.model_digest})",
        "serves": serves,
        "tuned": tuned,
        "all versions": ", ".join(found.versions),
    }


def _notes(comparison: Comparison) -> list[str]:
    notes = [
        f"{comparison.first} to {comparison.last}, which model {comparison.model_version} did not learn "
        f"from: {comparison.transactions:,} transactions on {comparison.days} days, {comparison.frauds:,} "
        f"known frauds ({_money(comparison.fraud_amount_minor)})",
        f"at these costs: {costs_said(comparison.costs)}",
    ]
    if comparison.left_out:
        notes.append(f"{comparison.left_out:,} have features of another catalog and are left out.")
    notes += [
        f"{name} {one.version} asks for {one.reviews_per_day:,.1f} reviews a day: more than there is time "
        "for, so it would cost more than it says."
        for name, one in comparison.policies.items()
        if one.reviews_per_day > comparison.costs.reviews_per_day
    ]
    return notes


def _figures(one: PolicyFigures) -> list[tuple[str, str]]:
    return [
        ("expected cost a day", _money(one.expected_cost_minor)),
        ("realised cost a day", _money(one.realised_cost_minor)),
        ("reviews a day", f"{one.reviews_per_day:,.1f}"),
        ("declines a day", f"{one.declines_per_day:,.1f}"),
        ("frauds caught", f"{one.frauds_caught:,}"),
        ("fraud caught", _money(one.fraud_amount_caught_minor)),
        ("false declines", f"{one.false_declines:,}"),
    ]


def _decisions(name: str, one: PolicyFigures) -> Table:
    table = _numbers(f"{name} {one.version}", "decision", "transactions", "amount", "frauds", "fraud amount")
    for row in one.decisions:
        table.add_row(
            row.decision,
            f"{row.transactions:,}",
            _money(row.amount_minor),
            f"{row.frauds:,}",
            _money(row.fraud_amount_minor),
        )
    return table


def _days(name: str, one: PolicyFigures) -> Table:
    counts = ("transactions", "frauds", "reviews", "declines", "frauds_caught", "false_declines")
    columns = [column.replace("_", " ") for column in counts]
    table = _numbers(f"{name} {one.version}, by day", "day", *columns, "expected cost", "realised cost")
    for row in one.by_day:
        numbers = [f"{getattr(row, column):,}" for column in counts]
        money = [_money(row.expected_cost_minor), _money(row.realised_cost_minor)]
        table.add_row(str(row.day), *numbers, *money)
    return table


def _numbers(title: str, first: str, *others: str) -> Table:
    table = Table(first, title=f"\n{title}", title_justify="left")
    for column in others:
        table.add_column(column, justify="right")
    return table


def costs_said(costs: Costs) -> str:
    return (
        f"a review {_money(costs.review_minor)}, a false decline {_money(costs.false_decline_minor)}, "
        f"at most {costs.reviews_per_day:,} reviews a day"
    )


def _money(minor: float) -> str:
    return f"{round(minor) / 100:,.2f}"


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
