"""How decision records look in a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from rich.console import Group, RenderableType
from rich.markup import escape
from rich.table import Table

from bdp_assets.contracts.records import Prediction
from bdp_assets.operations.decision_records.adjustments import Taken
from bdp_assets.operations.decision_records.finding import Found
from bdp_assets.operations.decision_records.replay import Outcome, Replayed

_MOST = 50
"""Lines of a table; JSON has all."""
_COLOURS = {Outcome.EQUAL: "green", Outcome.DIFFERENT: "red", Outcome.NOT_REPLAYABLE: "yellow"}


def shown(found: Found) -> Group:
    """What was decided, why, with what; and the features."""
    table = Table.grid(padding=(0, 2))
    for name, value in _facts(found):
        table.add_row(f"[bold]{name}[/]", escape(value))
    return Group(table, _features(found.record))


def taken_back(adjustments: Sequence[Taken]) -> Table:
    """Refunds and reversals."""
    table = Table("type", "id", "customer", "original", "amount (minor)", "when", box=None, pad_edge=False)
    for one in adjustments:
        amount = "all" if one.amount_minor is None else f"{one.amount_minor:,}"
        ids = map(escape, (one.adjustment_id, one.customer_id, one.original_transaction_id))
        table.add_row(one.type, *ids, amount, f"{one.occurred_at:%Y-%m-%d %H:%M:%SZ}")
    return table


def replayed_parts(replayed: Sequence[Replayed]) -> Iterator[RenderableType]:
    """What is not equal, and how many there are of each outcome."""
    told = replayed if len(replayed) == 1 else [one for one in replayed if one.outcome is not Outcome.EQUAL]
    if told:
        yield _outcomes(told[:_MOST])
    counts = Counter(one.outcome for one in replayed)
    yield ", ".join(f"{counts[outcome]:,} {outcome}" for outcome in Outcome)


def as_objects(replayed: Sequence[Replayed]) -> list[dict[str, str]]:
    """For programs."""
    return [
        {
            "transaction_id": one.record.transaction_id,
            "customer_id": one.record.customer_id,
            "outcome": one.outcome,
            "why": one.why,
        }
        for one in replayed
    ]


def _facts(found: Found) -> Iterator[tuple[str, str]]:
    record = found.record
    yield "transaction", record.transaction_id
    yield "customer", record.customer_id
    yield "decision", record.decision + (f" ({record.severity})" if record.severity else "")
    if record.decision_without_lists:
        yield "without lists", record.decision_without_lists
        yield "entries", ", ".join(f"{hit.list} {hit.kind} {hit.entry_id}" for hit in record.list_hits)
    yield "probability", repr(record.fraud_probability)
    for reason in record.reasons:
        yield "", f"{reason.code}: {reason.text}"
    yield "model", f"{record.model_name} {record.model_version}"
    yield "policy", record.policy_version
    yield "rules", record.rules_version or "none yet"
    yield "catalog", record.catalog_version
    yield "decided", f"{_time(record.decided_at_ms)} by {record.decided_by}"
    yield "degraded", "yes: without history" if record.degraded else "no"
    yield "found in", found.where


def _features(record: Prediction) -> RenderableType:
    if not record.features:
        return "\nIts features are not kept there."
    table = Table("feature", "value", box=None, pad_edge=False, title="", title_justify="left")
    for name, value in record.features.items():
        table.add_row(escape(name), repr(value))
    return table


def _outcomes(replayed: Sequence[Replayed]) -> Table:
    table = Table("transaction", "customer", "decided", "model", "outcome", "why", box=None, pad_edge=False)
    for one in replayed:
        record = one.record
        table.add_row(
            escape(record.transaction_id),
            escape(record.customer_id),
            _time(record.decided_at_ms),
            escape(record.model_version),
            f"[{_COLOURS[one.outcome]}]{one.outcome}[/]",
            escape(one.why),
        )
    return table


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
