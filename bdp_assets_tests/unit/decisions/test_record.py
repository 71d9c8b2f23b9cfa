from __future__ import annotations

from bdp_assets.contracts.records import Decision, ListHit, ListKind, ListName, Prediction, Reason, Severity
from bdp_assets.decisions.record import Circumstances, Verdict, prediction
from bdp_assets_tests.fakes.decider import INFO
from bdp_assets_tests.unit.decisions.transactions import transaction


def test_every_part_of_a_record_is_in_its_place() -> None:
    hits = (ListHit("e1", ListName.BLOCK, ListKind.CUSTOMER),)
    verdict = Verdict(0.5, Decision.DECLINE, [Reason("a", "b")], Severity.HIGH, hits, Decision.REVIEW)
    made = prediction(
        transaction(3, 42, country="FR", channel="pos", merchant_category="fuel"),
        9,
        {"f": 1.5},
        verdict,
        Circumstances(INFO, "p7", "r7", "stream", degraded=True),
        decided_at_ms=77,
    )
    assert made == Prediction(
        transaction_id="t3",
        customer_id="c1",
        merchant_id="m1",
        ts_ms=1_767_225_600_000,
        amount_base_minor=42,
        fraud_probability=0.5,
        decision=Decision.DECLINE,
        reasons=[Reason("a", "b")],
        model_name=INFO.name,
        model_version=INFO.version,
        policy_version="p7",
        catalog_version=INFO.catalog_version,
        apply_seq=9,
        features={"f": 1.5},
        degraded=True,
        decided_by="stream",
        decided_at_ms=77,
        currency="USD",
        country="FR",
        channel="pos",
        merchant_category="fuel",
        rules_version="r7",
        severity=Severity.HIGH,
        list_hits=list(hits),
        decision_without_lists=Decision.REVIEW,
    )
