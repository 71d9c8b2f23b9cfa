from __future__ import annotations

from functools import partial

import msgspec
import numpy as np
import pytest

from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.vectors import encode_vector
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows
from bdp_assets_tests.unit.decisions.transactions import transaction

WIDTH = len(CATALOG.names)
ROWS, _ = tiny_rows(WIDTH, rows=200, seed=5)


@pytest.fixture(scope="module")
def decider(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return Decider.load(tiny_bundle(tmp_path_factory.mktemp("bundle")))


def test_alone_and_in_a_batch_the_records_are_equal_to_the_byte(decider: Decider) -> None:
    transactions = [transaction(i) for i in range(len(ROWS))]
    together = decider.decide_many(transactions, ROWS, range(len(ROWS)), decided_by="stream", decided_at_ms=1)
    assert {record.decision for record in together} == set(Decision)
    for i, record in enumerate(together):
        (alone,) = decider.decide_many(
            transactions[i : i + 1], ROWS[i : i + 1], [i], decided_by="stream", decided_at_ms=1
        )
        assert msgspec.json.encode(alone) == msgspec.json.encode(record)


def test_with_its_features_encoded_a_record_is_the_same_to_the_byte(decider: Decider) -> None:
    decide = partial(
        decider.decide_many,
        [transaction(i) for i in range(len(ROWS))],
        ROWS,
        range(len(ROWS)),
        decided_by="api",
        decided_at_ms=1,
    )
    by_name, encoded = decide(), decide(named=encode_vector)
    assert list(map(encode, encoded)) == list(map(encode, by_name))


def test_a_record_says_who_decided_on_what(decider: Decider) -> None:
    (record,) = decider.decide_many(
        [transaction(7)], ROWS[:1], [41], decided_by="api", decided_at_ms=99, degraded=True
    )
    assert (record.transaction_id, record.customer_id, record.merchant_id) == ("t7", "c1", "m1")
    assert (record.apply_seq, record.decided_by, record.decided_at_ms, record.degraded) == (
        41,
        "api",
        99,
        True,
    )
    assert (record.model_version, record.policy_version) == (decider.info.version, decider.policy.version)
    assert record.catalog_version == CATALOG.version
    assert list(record.features.values()) == ROWS[0].tolist()
    assert record.fraud_probability == decider.ensemble.score(ROWS[:1])[0]


def test_reasons_lead_with_the_policy_and_go_on_with_the_features_of_the_fraud(decider: Decider) -> None:
    suspicious = np.zeros((1, WIDTH))
    suspicious[0, :2] = 3.0
    (verdict,) = decider.verdicts([transaction(1, 1_000)], suspicious)
    codes = [reason.code for reason in verdict.reasons]
    assert codes[0] == "score_at_decline"
    assert set(codes[1:3]) == set(CATALOG.names[:2])
    assert CATALOG.describe()[0]["description"] in " ".join(reason.text for reason in verdict.reasons)


def test_approvals_are_not_explained_by_features(decider: Decider) -> None:
    (record,) = decider.decide_many(
        [transaction(1)], np.zeros((1, WIDTH)), [1], decided_by="api", decided_at_ms=1
    )
    assert record.decision is Decision.APPROVE
    assert [reason.code for reason in record.reasons] == ["score_below_review"]
    assert record.severity is None


def test_lengths_must_agree(decider: Decider) -> None:
    with pytest.raises(ValueError, match="zip"):
        decider.decide_many([transaction(1)], ROWS[:2], [1], decided_by="api", decided_at_ms=1)
