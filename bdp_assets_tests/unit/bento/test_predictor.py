from __future__ import annotations

import asyncio
import errno
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pytest
from prometheus_client import REGISTRY

from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.erasure import CUSTOMER_ERASED, Tombstones, customer_hash
from bdp_assets.contracts.records import Decision, ListKind, ListName, Prediction, ValidatedTransaction
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.lists import NO_LISTS, ListEntry, Lists, PublishedLists
from bdp_assets.decisions.policy import make_policy
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.unit.bento.conftest import body
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore
from bento.calls import Call
from bento.dependencies import Dependencies
from bento.errors import ApiError
from bento.predictor import CHUNK, Predictor
from bento.spool.reader import Ready
from bento.spool.spool import Spool

CALL = Call("request-1", "00-" + "0" * 32 + "-" + "0" * 16 + "-01")
DRY = Call("request-1", CALL.traceparent, dry_run=True)


@dataclass
class Bench:
    store: FakeStore
    raw_topic: FakeRawTopic
    dependencies: Dependencies
    predictor: Predictor

    def predict(self, *values: bytes, call: Call = CALL) -> list[Any]:
        return as_read(asyncio.run(self.predictor.predict(values, call)))

    def traces(self) -> tuple[Any, ...]:
        return dict(self.store.claims), dict(self.store.decisions), list(self.raw_topic.sent)


def as_read(outcomes: Sequence[Any]) -> list[Any]:
    """What is kept and sent of them: records that were just made hold their features encoded."""
    return [decode_prediction(encode(one)) if isinstance(one, Prediction) else one for one in outcomes]


@pytest.fixture
def bench(decider: Decider, store: Any, spool: Spool, raw_topic: Any) -> Bench:
    dependencies = Dependencies(store, raw_topic, spool)
    dependencies.probe()
    return Bench(store, raw_topic, dependencies, Predictor(decider, store, spool, dependencies))


def test_a_decision_is_kept_with_its_claim_and_its_body_sent_on_as_it_came(bench: Bench) -> None:
    value = b"  " + body(1)
    [prediction] = bench.predict(value)
    assert isinstance(prediction, Prediction)
    assert not prediction.degraded
    assert prediction.decided_by == "api"
    assert json.loads(bench.store.decisions["customer-1", "transaction-1"])["decision"] == prediction.decision
    assert bench.raw_topic.sent == [("customer-1", value)]


def test_the_same_body_gets_the_first_decision_again_and_is_sent_once(bench: Bench) -> None:
    value = body(1)
    first = bench.predict(value)
    bench.predict(body(2, customer_id="customer-1"))
    assert bench.predict(value) == first
    assert len(bench.raw_topic.sent) == 2


def test_money_is_counted_once_for_each_decision(bench: Bench) -> None:
    before = decided_minor()
    [first] = bench.predict(body(1))
    assert bench.predict(body(1)) == [first], "the same one again"
    assert isinstance(first, Prediction)
    assert first.amount_base_minor > 0
    assert decided_minor() - before == first.amount_base_minor


def decided_minor() -> float:
    kinds = (
        REGISTRY.get_sample_value("bdp_api_decided_minor_total", {"decision": kind}) for kind in Decision
    )
    return sum(found or 0.0 for found in kinds)


def test_another_body_under_the_same_id_is_a_conflict_without_a_trace(bench: Bench) -> None:
    bench.predict(body(1))
    before = bench.traces()
    [refusal] = bench.predict(body(1, amount=7))
    assert isinstance(refusal, ApiError)
    assert (refusal.status, refusal.field) == (409, "transaction_id")
    assert bench.traces() == before


def test_a_call_ends_with_the_model_and_policy_that_it_began_with(
    bench: Bench, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A batch gives way between its chunks: what is swapped then counts for the next call."""
    other = Decider.load(tiny_bundle(tmp_path_factory.mktemp("other"), seed=8, policy=make_policy(0.3, 0.5)))

    async def predict_and_swap() -> list[Any]:
        call = asyncio.create_task(bench.predictor.predict([body(n) for n in range(1, 2 * CHUNK + 2)], CALL))
        await asyncio.sleep(0)
        bench.predictor.take(other)
        return await call

    first = bench.predictor.decider
    assert first is not None
    told = {(one.policy_version, one.model_version) for one in asyncio.run(predict_and_swap())}
    assert told == {(first.policy.version, first.info.version)}
    [later] = bench.predict(body(2 * CHUNK + 2))
    assert (later.policy_version, later.model_version) == (other.policy.version, other.info.version)


def test_a_batch_answers_in_order_whatever_its_items_are(bench: Bench) -> None:
    bench.predict(body(3))
    values = [body(1), b"{}", body(2), body(3), body(3, amount=1), body(4, amount=-1), body(1)]
    outcomes = bench.predict(*values)
    kinds = [o.transaction_id if isinstance(o, Prediction) else o.code for o in outcomes]
    assert kinds == [
        "transaction-1",
        "missing_field",
        "transaction-2",
        "transaction-3",
        "transaction_conflict",
        "out_of_range",
        "transaction-1",
    ]
    assert outcomes[0] == outcomes[6]
    assert [customer for customer, _ in bench.raw_topic.sent] == ["customer-3", "customer-1", "customer-2"]


def test_a_batch_scores_as_single_calls_do(bench: Bench) -> None:
    values = [body(number) for number in range(1, 20)]
    alone = [bench.predict(value, call=DRY)[0].fraud_probability for value in values]
    assert [p.fraud_probability for p in bench.predict(*values, call=DRY)] == alone
    assert len(set(alone)) > 1


def test_calls_of_one_moment_are_decided_as_a_batch_is_each_with_its_own_marks(bench: Bench) -> None:
    values = [body(1), b"{}", body(2), body(1, amount=7), body(1)]
    calls = [Call(f"request-{number}", CALL.traceparent) for number in range(len(values))]

    async def at_once() -> list[Any]:
        asked = map(bench.predictor.predict_one, values, calls)
        return as_read(await asyncio.gather(*asked))

    outcomes = asyncio.run(at_once())
    kinds = [o.transaction_id if isinstance(o, Prediction) else o.code for o in outcomes]
    expected = ["transaction-1", "missing_field", "transaction-2", "transaction_conflict", "transaction-1"]
    assert kinds == expected
    assert outcomes[0] == outcomes[4]
    assert bench.predict(body(1), body(2)) == [outcomes[0], outcomes[2]], "each was kept"
    marks = [dict(one.came.arrival.headers)["request-id"] for one in bench.raw_topic.messages]
    assert marks == [b"request-0", b"request-2"]


def test_a_dry_run_beside_real_calls_leaves_no_trace(bench: Bench) -> None:
    async def at_once() -> list[Any]:
        one = bench.predictor.predict_one
        return list(await asyncio.gather(one(body(1), CALL), one(body(2), DRY), one(body(3), CALL)))

    assert [one.transaction_id for one in asyncio.run(at_once())] == [f"transaction-{n}" for n in (1, 2, 3)]
    assert [customer for customer, _ in bench.raw_topic.sent] == ["customer-1", "customer-3"]
    assert set(bench.store.decisions) == {(f"customer-{n}", f"transaction-{n}") for n in (1, 3)}


def test_a_block_holds_without_the_store_too_and_is_as_of_the_call(
    bench: Bench, decider: Decider, store: Any, spool: Spool
) -> None:
    block = ListEntry(entry_id="b" * 12, list=ListName.BLOCK, kind=ListKind.CUSTOMER, id="customer-1")
    now = [NO_LISTS]
    bench.predictor = Predictor(decider, store, spool, bench.dependencies, lambda: now[0])
    [before] = bench.predict(body(1))
    now[0] = Lists(PublishedLists(1, [block]))
    [again, after] = bench.predict(body(1), body(2, customer_id="customer-1"))
    bench.store.available = False
    [degraded] = bench.predict(body(3, customer_id="customer-1"))
    assert again == before, "what was decided stays decided"
    assert [one.decision for one in (after, degraded)] == [Decision.DECLINE] * 2
    assert [hit.entry_id for hit in degraded.list_hits] == ["b" * 12]
    assert degraded.degraded


def test_an_empty_batch_is_no_fault(bench: Bench) -> None:
    assert bench.predict() == []


def test_a_dry_run_answers_alike_and_touches_nothing(bench: Bench) -> None:
    untouched = bench.traces()
    [dry] = bench.predict(body(1), call=DRY)
    assert bench.traces() == untouched
    [real] = bench.predict(body(1))
    assert dry.fraud_probability == real.fraud_probability


def test_a_dry_batch_asks_the_store_once_for_many(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    claim = bench.store.claim_dry

    def counted(transactions: Sequence[ValidatedTransaction]) -> Any:
        asked.append(len(transactions))
        return claim(transactions)

    monkeypatch.setattr(bench.store, "claim_dry", counted)

    answers = bench.predict(*map(body, range(3 * CHUNK)), body(0, amount=9), call=DRY)

    assert max(asked) == CHUNK
    assert [one.transaction_id for one in answers][-1] == "transaction-0", "each as if it came alone"


def test_without_the_store_it_decides_degraded_claims_nothing_and_still_sends(bench: Bench) -> None:
    bench.store.available = False
    [prediction] = bench.predict(body(1))
    assert prediction.degraded
    assert bench.store.claims == {}
    assert len(bench.raw_topic.sent) == 1


def test_one_call_pays_for_a_store_that_fails_and_a_probe_finds_it_again(bench: Bench) -> None:
    bench.store.available = False
    bench.predict(body(1))
    bench.store.available = True
    assert bench.predict(body(2))[0].degraded, "the store was not asked before a probe saw it"
    bench.dependencies.probe()
    assert not bench.predict(body(3))[0].degraded


def test_a_store_that_was_not_rebuilt_is_not_history(bench: Bench) -> None:
    bench.store.filled = False
    bench.dependencies.probe()
    assert bench.predict(body(1))[0].degraded
    assert bench.store.claims == {}


def test_a_store_that_goes_away_after_the_claim_costs_no_answer(
    bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    bench.store.keeps_decisions = False
    [first] = bench.predict(body(1))
    assert not first.degraded
    [told] = [record for record in caplog.records if record.message.startswith("decisions not kept")]
    assert told.transaction_ids == [first.transaction_id]  # type: ignore[attr-defined]
    [trace_id] = told.trace_ids  # type: ignore[attr-defined]
    assert re.fullmatch("[0-9a-f]{32}", trace_id)
    bench.store.keeps_decisions = True
    bench.dependencies.probe()
    [again] = bench.predict(body(1))
    assert again.fraud_probability == first.fraud_probability
    assert bench.store.decisions


def test_the_decision_travels_with_its_transaction(bench: Bench) -> None:
    [first] = bench.predict(body(1))
    bench.store.available = False
    [second] = bench.predict(body(2))
    assert [decode_prediction(one.outcome.decision) for one in bench.raw_topic.messages] == [first, second]


def test_what_is_only_known_again_or_refused_is_not_sent(bench: Bench, spool: Spool) -> None:
    bench.predict(body(1), body(1), body(1, amount=7), b"{}")
    bench.predict(body(1))
    assert len(bench.raw_topic.sent) == 1
    spool.forget(4)
    assert spool.waiting == 0, "each arrival has an outcome"


def test_of_a_call_that_a_defect_ends_the_stream_gets_what_came(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench.store, "save_decisions", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        bench.predict(body(1))
    [one] = bench.raw_topic.messages
    assert (one.came.arrival.value, one.outcome.decision) == (body_of(one), b"")
    monkeypatch.undo()
    assert isinstance(bench.predict(body_of(one))[0], Prediction)
    assert len(bench.raw_topic.sent) == 1, "who claimed it wrote it down"


def body_of(one: Ready) -> bytes:
    return one.came.arrival.value


@pytest.mark.parametrize("call", [1, 2])
def test_a_disk_that_fills_up_costs_the_answer_and_loses_nothing(
    bench: Bench, spool: Spool, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    write, calls = spool._write, 0

    def full(content: bytes) -> None:
        nonlocal calls
        calls += 1
        if calls >= call:
            raise OSError(errno.ENOSPC, "No space left on device")
        write(content)

    value = body(1)
    monkeypatch.setattr(spool, "_write", full)
    with pytest.raises(ApiError, match="disk") as caught:
        bench.predict(value)
    assert (caught.value.status, bench.raw_topic.sent) == (503, [])
    assert (bench.store.claims == {}) is (call == 1)
    monkeypatch.undo()
    assert isinstance(bench.predict(value)[0], Prediction)
    assert bench.raw_topic.sent == [("customer-1", value)]


def test_a_full_spool_refuses_before_anything_is_recorded(bench: Bench, spool: Spool) -> None:
    spool._most_bytes = 10_000
    with pytest.raises(ApiError, match="Kafka") as caught:
        bench.predict(body(1), body(2))
    assert caught.value.status == 503
    assert bench.traces() == ({}, {}, [])
    assert bench.predict(body(1), body(2), call=DRY)


def test_without_a_model_nothing_is_recorded(store: Any, spool: Spool, raw_topic: Any) -> None:
    dependencies = Dependencies(store, raw_topic, spool)
    with pytest.raises(ApiError, match="bdp train") as caught:
        asyncio.run(Predictor(None, store, spool, dependencies).predict([body(1)], CALL))
    assert caught.value.status == 503
    assert store.claims == {}


def test_what_was_erased_is_refused_and_leaves_no_trace(
    bench: Bench, decider: Decider, store: Any, spool: Spool
) -> None:
    """What the customer does later is the beginning of a new history."""
    key = b"key"
    until_ms = 1_767_225_600_000
    stones = Tombstones({customer_hash("customer-1", key): until_ms}, key)
    bench.predictor = Predictor(decider, store, spool, bench.dependencies, tombstones=lambda: stones)
    untouched = bench.traces()
    [refused] = bench.predict(body(1, timestamp="2026-01-01T00:00:00Z"))
    assert (refused.status, refused.code, refused.field) == (422, CUSTOMER_ERASED, "customer_id")
    assert "customer-1" not in refused.message
    assert bench.traces() == untouched
    later, other = bench.predict(
        body(1, timestamp="2026-01-01T00:00:00.001Z"), body(2, timestamp="2026-01-01T00:00:00Z")
    )
    assert (later.customer_id, other.customer_id) == ("customer-1", "customer-2")
