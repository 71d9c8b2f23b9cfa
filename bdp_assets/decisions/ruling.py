"""What rules and lists make of a decision: rules can raise it, never lower it; an entry of a list decides.

A rule is about many transactions, an entry about this very customer, merchant or device, made by somebody who
looked: so the entry has the last word, and a block more than an allowance.
"""

from __future__ import annotations

from collections.abc import Sequence

from bdp_assets.contracts.records import Decision, ListHit, ListName, Reason, Severity
from bdp_assets.decisions.record import Verdict
from bdp_assets.decisions.rules import LEAST, Rule

CRITICAL_AT_RISK_MINOR = 100_000
LIST_CODE = "list:"
"""Begins the code of a list's reason; the list and the kind of its entry follow."""
LISTED = {ListName.BLOCK: Decision.DECLINE, ListName.ALLOW: Decision.APPROVE}
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


def by_lists(own: Verdict, amount_base_minor: int, hits: Sequence[ListHit]) -> Verdict:
    """The verdict after the entries in force, of which there is one or more, the one that wins first.

    The reasons name entries by their ids: what people wrote about them stays in the audit.
    """
    decision = LISTED[hits[0].list]
    severity = severity_of(decision, amount_base_minor)
    if severity and own.severity:
        severity = max(severity, own.severity, key=URGENCY.__getitem__)
    reasons = [*map(_listed, hits), *own.reasons]
    return Verdict(own.probability, decision, reasons, severity, hits, own.decision)


def _listed(hit: ListHit) -> Reason:
    text = f"The {hit.kind} is on the {hit.list} list (entry {hit.entry_id})."
    return Reason(f"{LIST_CODE}{hit.list}:{hit.kind}", text)
