from __future__ import annotations

import math
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.records import Decision, Prediction, Reason, Severity
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import LocalPolicies, Tuning
from bdp_assets.decisions.local_policies import encode as encode_policy
from bdp_assets.decisions.policy import Costs, cost_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations.decision_records.replay import Outcome, Replayed, replay, summary
from bdp_assets.scoring.attributions import ForestPaths
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets_tests.unit.decisions.transactions import transaction
from bdp_assets_tests.unit.operations.decision_records.conftest import ROWS, VERSION, Machine, changed

EQUAL, DIFFERENT, NOT_REPLAYABLE = Outcome


def test_what_was_decided_is_decided_again_to_the_bit(
    machine: Machine, bundle: Path, decided: list[Prediction]
) -> None:
    machine.has(bundle)
    assert {record.decision for record in decided} == set(Decision)
    as_kept = [decode_prediction(encode(record)) for record in decided]
    assert replay(as_kept, machine.deciders) == [Replayed(record, EQUAL) for record in decided]
    assert machine.asked == []


@pytest.mark.parametrize(
    ("tampered", "says"),
    [
        (lambda r: {"fraud_probability": math.nextafter(r.fraud_probability, 0.5)}, "fraud_probability"),
        (lambda r: {"decision": Decision.REVIEW}, "decision review, now decline"),
        (lambda r: {"reasons": [*r.reasons, Reason("more", "than there were")]}, "reasons"),
        (lambda r: {"severity": Severity.MEDIUM}, "severity medium, now"),
        (lambda r: {"features": r.features | dict.fromkeys(CATALOG.names[:2], 0.0)}, "now approve"),
        (lambda r: {"amount_base_minor": 1}, "reasons"),
    ],
)
def test_a_record_that_was_tampered_with_differs(
    tampered: Any, says: str, machine: Machine, bundle: Path, decided: list[Prediction]
) -> None:
    machine.has(bundle)
    declined = next(record for record in decided if record.decision is Decision.DECLINE)
    assert replay([declined], machine.deciders)[0].outcome is EQUAL
    (replayed,) = replay(changed([declined], **tampered(declined)), machine.deciders)
    assert replayed.outcome is DIFFERENT
    assert says in replayed.why


def test_a_policy_that_was_tuned_after_its_model_is_found_beside_it(machine: Machine, bundle: Path) -> None:
    machine.has(bundle)
    of_model = Bundle.read(bundle)
    costs = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=10)
    policy = cost_policy(800, costs)
    tuning = Tuning(
        model_digest=of_model.info.digest,
        tuned_at_ms=0,
        first=date(2026, 2, 1),
        last=date(2026, 2, 28),
        transactions=1,
        frauds=1,
    )
    policies = LocalPolicies(machine.bundles.models_dir, of_model)
    policies.put(encode_policy(policy, tuning), policy.version)
    decider = Decider(Ensemble.of(of_model), policy, ForestPaths.of(of_model))
    records = decider.decide_many([transaction(1, 5_000)], ROWS[:1], [1], decided_by="api", decided_at_ms=99)
    (replayed,) = replay(records, machine.deciders)
    assert (replayed.outcome, records[0].policy_version) == (EQUAL, policy.version)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"policy_version": "older"}, "policy older is not on this machine"),
        ({"rules_version": "older"}, "rules older are not those in force"),
        ({"catalog_version": "older"}, "features of catalog older"),
        ({"model_version": "unregistered-1"}, "was never registered"),
        ({"model_version": "9"}, "model 9: can not read"),
        ({"model_name": "another"}, "has no model another"),
        ({"features": {}}, "its features are not kept"),
        ({"features": {"amount": 1.0}}, "it has no feature"),
        ({"features": dict.fromkeys(CATALOG.names, 1e300)}, "finite"),
    ],
)
def test_what_can_not_be_replayed_says_why(
    fields: dict[str, Any], says: str, machine: Machine, bundle: Path, decided: list[Prediction]
) -> None:
    machine.has(bundle)
    (replayed,) = replay(changed(decided[:1], **fields), machine.deciders)
    assert (replayed.outcome, replayed.record.transaction_id) == (NOT_REPLAYABLE, "t0")
    assert says in replayed.why


def test_a_model_that_is_not_here_is_fetched_once(machine: Machine, decided: list[Prediction]) -> None:
    assert {one.outcome for one in replay(decided, machine.deciders)} == {EQUAL}
    assert machine.asked == [VERSION]
    missing = changed(decided, model_version="9")
    assert {one.outcome for one in replay(missing, machine.deciders)} == {NOT_REPLAYABLE}
    assert machine.asked == [VERSION, "9"]


def test_the_champion_need_not_be_registered(
    machine: Machine, bundle: Path, decided: list[Prediction]
) -> None:
    machine.has(bundle, "champion")
    assert {one.outcome for one in replay(decided, machine.deciders)} == {EQUAL}
    assert machine.asked == []


def test_a_record_from_before_there_were_rules_has_no_severity_to_compare(
    machine: Machine, bundle: Path, decided: list[Prediction]
) -> None:
    machine.has(bundle)
    old = changed(decided, rules_version=None, severity=None)
    ruled = [any(reason.code.startswith("rule:") for reason in record.reasons) for record in decided]
    outcomes = [one.outcome for one in replay(old, machine.deciders)]
    assert outcomes == [DIFFERENT if one else EQUAL for one in ruled]
    assert EQUAL in outcomes


def test_the_summary_counts_alike_ones(machine: Machine, bundle: Path, decided: list[Prediction]) -> None:
    machine.has(bundle)
    records = [*decided[:3], *changed(decided[:1], policy_version="older")]
    rows = summary(replay(records, machine.deciders)).rows()
    assert rows == [("equal", "", 3), ("not replayable", "policy older is not on this machine", 1)]
