"""What the rules that hit make of a decision: they can raise it, never lower it."""

from __future__ import annotations

from collections.abc import Sequence

from bdp_assets.contracts.records import Decision, Severity
from bdp_assets.decisions.rules import LEAST, Rule

CRITICAL_AT_RISK_MINOR = 100_000
STRICTNESS = {decision: number for number, decision in enumerate(Decision)}
URGENCY = {severity: number for number, severity in enumerate(Severity)}


def raised(decision: Decision, hits: Sequence[Rule]) -> Decision:
    """The strictest of the policy's decision and what the rules ask for."""
    asked = [LEAST[rule.entry.action] for rule in hits]
    return max([decision, *asked], key=STRICTNESS.__getitem__)


def severity_of(decision: Decision, amount_base_minor: int, hits: Sequence[Rule] = ()) -> Severity | None:
    """Review is medium, decline is high, and critical where much money is at risk; a rule can raise it.

    None for an approval.
    """
    if decision is Decision.APPROVE:
        return None
    own = Severity.MEDIUM
    if decision is Decision.DECLINE:
        own = Severity.CRITICAL if amount_base_minor >= CRITICAL_AT_RISK_MINOR else Severity.HIGH
    return max([own, *(rule.entry.severity for rule in hits)], key=URGENCY.__getitem__)
