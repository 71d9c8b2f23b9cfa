"""What the load driver was told, against what is there: its journals (see `traffic_journal`)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

from bdp_assets.operations.ledger import Equation
from bdp_assets.operations.ledger_ids import Decisions
from bdp_assets.operations.ledger_reading import Entries
from bdp_assets.operations.traffic_journal import Line
from bdp_assets.simulator.spoil import BAD_KINDS


@dataclass
class Promises:
    """Good records that Kafka has confirmed, or that the API has answered; the first is by far the most.

    What the API answered without the store is promised to come, not how it is decided: nothing was claimed,
    so the same transaction by another door may be first.
    """

    delivered: Decisions = field(default_factory=Decisions)
    answered: Decisions = field(default_factory=Decisions)
    left_out: Counter[str] = field(default_factory=Counter)
    """Lines that promise nothing, by why."""


def read_promises(lines: Iterable[Line], since_ms: int = 0) -> Promises:
    """`since_ms`: older ones may be gone from the topics."""
    promises = Promises()
    for line in lines:
        reason = _empty(line, since_ms)
        if reason:
            promises.left_out[reason] += 1
        elif line.decision is None or line.degraded:
            promises.delivered.add(line)
        else:
            promises.answered.add(line, line.decision)
    return promises


def _empty(line: Line, since_ms: int) -> str | None:
    if line.sent_ms < since_ms:
        return "older than the topics"
    if line.kind in BAD_KINDS:
        return "bad on purpose"
    return "not answered with a decision" if line.status != HTTPStatus.OK else None


def kept(promises: Promises, entries: Entries) -> tuple[Equation, ...]:
    """A record on its way has not been lost: it may still wait for a worker."""
    there = (entries.predicted, entries.waiting)
    return (
        Equation("delivered to Kafka, no prediction = 0", promises.delivered.missing_in(*there), 0),
        Equation("answered by the API, no prediction = 0", promises.answered.missing_in(*there), 0),
        Equation(
            "answered by the API, decided otherwise = 0",
            promises.answered.contradicted_by(entries.predicted),
            0,
        ),
    )
