"""Which messages of a micro-batch are traced; a batch that is redone is told with what went wrong."""

from __future__ import annotations

import pytest

from bdp_assets.contracts.headers import TRACEPARENT
from bdp_assets.contracts.topics import RAW
from bdp_assets.observability import trace_context, tracing
from bdp_assets.streaming.scoring import Scoring
from bdp_assets.streaming.traced import MOST_MESSAGES, sampled
from bdp_assets_tests.fakes.decider import FakeDecider
from bdp_assets_tests.fakes.messages import PAN_KEY, body, raw
from bdp_assets_tests.fakes.online_store import FakeStore
from bdp_assets_tests.fakes.spans import told_spans

SAMPLED = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
NOT_SAMPLED = SAMPLED[:-1] + b"0"
OF_A_CARD = b"00-aaaaaaaaaaaaaaaa4111111111111111-00f067aa0ba902b7-01"


@pytest.mark.parametrize("sent", [None, b"", b"4111111111111111", NOT_SAMPLED, SAMPLED + b"\xff", OF_A_CARD])
def test_only_what_is_marked_as_sampled_is_traced(sent: bytes | None) -> None:
    headers = () if sent is None else ((TRACEPARENT, sent),)
    batch = [raw(b"{", 0, 1, headers), raw(b"{", 1, 1, ((TRACEPARENT, SAMPLED),))]
    [(place, above)] = sampled(batch).items()
    assert place == (RAW.name, 1, 1)
    assert above.traceparent == SAMPLED.decode()


def test_a_micro_batch_has_a_bound() -> None:
    batch = [raw(b"{", offset, headers=((TRACEPARENT, SAMPLED),)) for offset in range(MOST_MESSAGES + 10)]
    assert [place[2] for place in sampled(batch)] == list(range(MOST_MESSAGES))  # type: ignore[index]


def test_what_kept_the_contract_is_named_and_what_did_not_is_not() -> None:
    """Two messages of one trace, as of a producer that traces its own batches."""
    store, headers = FakeStore(), ((TRACEPARENT, SAMPLED),)
    scoring = Scoring(store, FakeDecider(), lambda: "TOPIC", alerts=store.alerts, pan_key=PAN_KEY)  # type: ignore[arg-type]
    bad = body("secret", amount=-5)
    batch = [raw(body("t-1"), 0, headers=headers), raw(bad, 1, headers=headers)]
    with told_spans(0.0) as told:
        with tracing.batch(lambda: sampled(batch)):
            scoring(batch)
        spans = told()
    roots = [dict(span.attributes or {}) for span in spans if span.name == f"process {RAW.name}"]
    about = {root["messaging.kafka.offset"]: root for root in roots}
    assert (about[0]["bdp.transaction_id"], about[1]["bdp.transactions"]) == ("t-1", 0)
    assert "secret" not in "".join(span.to_json() for span in spans)
    assert {span.context.trace_id for span in spans} == {trace_context.ids(SAMPLED.decode()).trace}
