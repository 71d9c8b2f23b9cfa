"""Matured figures in plain loops over decisions and labels as they came, by docs/performance.md alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

HOUR, DAY = 3_600_000, 86_400_000
EDGES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)


@dataclass(frozen=True)
class Made:
    """A decision as it landed."""

    customer: str
    transaction: str
    ts_ms: int
    amount: int
    probability: float
    decision: str
    without_lists: str | None
    version: str
    by: str
    decided_at_ms: int

    @property
    def key(self) -> tuple[str, str]:
        return self.customer, self.transaction

    @property
    def flagged(self) -> bool:
        return self.said != "approve"

    @property
    def said(self) -> str:
        return self.without_lists or self.decision


@dataclass(frozen=True)
class Said:
    """A label as it landed."""

    customer: str
    transaction: str
    is_fraud: bool
    known_at_ms: int


Row = tuple[Made, bool]


def mature(made: Sequence[Made], said: Sequence[Said], as_of_ms: int, delay: int, days: int) -> list[Row]:
    """What was decided live, the first time, with what was thought of it at the midnight."""
    end = as_of_ms - delay * DAY
    first: dict[tuple[str, str], Made] = {}
    for one in made:
        if one.by != "batch" and end - days * DAY <= one.ts_ms < end:
            before = first.get(one.key)
            if before is None or one.decided_at_ms < before.decided_at_ms:
                first[one.key] = one
    return [(one, _is_fraud(one, said, as_of_ms)) for one in first.values()]


def _is_fraud(one: Made, said: Sequence[Said], as_of_ms: int) -> bool:
    known = [
        (label.known_at_ms, label.is_fraud)
        for label in said
        if (label.customer, label.transaction) == one.key and label.known_at_ms <= as_of_ms
    ]
    return max(known)[1] if known else False


def figures(rows: Sequence[Row], review: int, false_decline: int, capacity: int) -> dict[str, float | None]:
    flagged = [row for row in rows if row[0].flagged]
    frauds = [row for row in rows if row[1]]
    both = [row for row in flagged if row[1]]
    good = len(rows) - len(frauds)
    return {
        "transactions": len(rows),
        "frauds": len(frauds),
        "flagged": len(flagged),
        "frauds_flagged": len(both),
        "precision": len(both) / len(flagged) if flagged else None,
        "recall": len(both) / len(frauds) if frauds else None,
        "false_positive_rate": (len(flagged) - len(both)) / good if good else None,
        "saved_minor": sum(one.amount for one, _ in both),
        "lost_minor": sum(one.amount for one, is_fraud in rows if is_fraud and not one.flagged),
        "spent_minor": sum(
            review if one.said == "review" else false_decline * (one.said == "decline" and not is_fraud)
            for one, is_fraud in rows
        ),
        "average_precision": average_precision(rows) if frauds else None,
        "brier": sum((one.probability - is_fraud) ** 2 for one, is_fraud in rows) / len(rows),
        "calibration_error": calibration_error(rows),
        "card_precision": card_precision(rows, capacity),
    }


def average_precision(rows: Sequence[Row]) -> float:
    frauds, before, total = sum(is_fraud for _, is_fraud in rows), 0, 0.0
    for threshold in sorted({one.probability for one, _ in rows}, reverse=True):
        above = [is_fraud for one, is_fraud in rows if one.probability >= threshold]
        total += (sum(above) - before) / frauds * sum(above) / len(above)
        before = sum(above)
    return total


def calibration_error(rows: Sequence[Row]) -> float:
    bins: dict[int, list[Row]] = {}
    for row in rows:
        bins.setdefault(sum(edge <= row[0].probability for edge in EDGES), []).append(row)
    return sum(
        abs(sum(one.probability - is_fraud for one, is_fraud in rows)) for rows in bins.values()
    ) / len(rows)


def card_precision(rows: Sequence[Row], capacity: int) -> float:
    found: set[str] = set()
    shares = []
    for day in sorted({one.ts_ms // DAY for one, _ in rows}):
        today = [row for row in rows if row[0].ts_ms // DAY == day]
        suspicion = {
            customer: max(one.probability for one, _ in today if one.customer == customer)
            for customer in {one.customer for one, _ in today} - found
        }
        listed = sorted(suspicion, key=lambda customer: (-suspicion[customer], customer))[:capacity]
        hit = {customer for customer in listed if any(f for one, f in today if one.customer == customer)}
        found |= hit
        shares.append(len(hit) / capacity)
    return sum(shares) / len(shares)
