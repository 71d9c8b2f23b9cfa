"""A call as spans: who is traced, what is told, and that the log of a defect leads to its trace."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from bdp_assets.observability import trace_context
from bdp_assets.observability.logging import JsonFormatter
from bdp_assets_tests.fakes.spans import told_spans, tree
from bdp_assets_tests.unit.bento.conftest import Client, body
from bdp_assets_tests.unit.bento.fakes import FakeStore
from bento.predictor import CHUNK
from bento.serving import Serving

TRACE_ID = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE_ID}-00f067aa0ba902b7-01"
SINGLE, BATCH = "/api/v1/predict", "/api/v1/predict/batch"


def test_a_sampled_call_is_told_step_by_step(client: Client) -> None:
    with told_spans(0.0) as told:
        assert client.post(body(1), traceparent=SAMPLED).status_code == 200
        spans = told()
    assert tree(spans) == [
        (f"POST {SINGLE}", ""),
        ("predict", f"POST {SINGLE}"),
        *[(name, "predict") for name in ("validate", "spool arrival", "claim", "decide")],
        ("model", "decide"),
        *[(name, "predict") for name in ("keep", "spool outcome")],
    ]
    assert {span.context.trace_id for span in spans} == {trace_context.ids(SAMPLED).trace}


def test_a_batch_is_told_once_whatever_it_holds(client: Client) -> None:
    with told_spans(0.0) as told:
        items = b"[" + body(1) + b"," + body(2) + b"," + body(3, amount=-1) + b"]"
        assert client.post(items, BATCH, traceparent=SAMPLED).status_code == 200
        [predict] = [span for span in told() if span.name == "predict"]
    assert dict(predict.attributes or {}) == {"bdp.transactions": 2}


def test_chunks_of_a_batch_are_told_apart_though_they_overlap(client: Client) -> None:
    with told_spans(0.0) as told:
        items = b"[" + b",".join(body(number) for number in range(1, 2 * CHUNK + 2)) + b"]"
        assert client.post(items, BATCH, traceparent=SAMPLED).status_code == 200
        spans = told()
    predicts = [span for span in spans if span.name == "predict"]
    assert [dict(span.attributes or {})["bdp.transactions"] for span in predicts] == [CHUNK, CHUNK, 1]
    parents = {span.context.span_id: span.name for span in spans}
    claims = [span for span in spans if span.name == "claim"]
    assert [parents[span.parent.span_id] for span in claims if span.parent] == ["predict"] * 3


@pytest.mark.parametrize(
    ("path", "status", "names"),
    [
        (SINGLE, 422, {f"POST {SINGLE}", "predict", "validate"}),
        ("/health", 405, set()),
        ("/api/v1/nothing", 404, set()),
    ],
)
def test_refusals_of_our_routes_are_told_and_other_paths_are_not(
    client: Client, path: str, status: int, names: set[str]
) -> None:
    with told_spans(1.0) as told:
        assert client.post(body(1, amount=-1), path).status_code == status
        assert {span.name for span in told()} == names


def test_what_is_sent_on_belongs_to_the_call_and_to_nothing_where_it_is_not_sampled(
    client: Client, serving: Serving, monkeypatch: pytest.MonkeyPatch
) -> None:
    came: list[str] = []
    predict_one = serving.predictor.predict_one

    async def noting(value: bytes, call: Any) -> Any:
        came.append(call.traceparent)
        return await predict_one(value, call)

    monkeypatch.setattr(serving.predictor, "predict_one", noting)
    with told_spans(0.0) as told:
        client.post(body(1), traceparent=SAMPLED)
        client.post(body(2))
        [call] = [span for span in told() if span.name == f"POST {SINGLE}"]
    client.post(body(3), traceparent=SAMPLED)
    assert trace_context.ids(came[0]) == (call.context.trace_id, call.context.span_id)
    assert not trace_context.is_sampled(came[1])
    assert came[2] == SAMPLED  # Off: as it came.


def test_a_defect_is_logged_with_its_trace_and_without_its_text(
    client: Client, store: FakeStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("4111 1111 1111 1111")

    monkeypatch.setattr(store, "claim", broken)
    with caplog.at_level(logging.ERROR), pytest.raises(ZeroDivisionError):
        client.post(body(1), traceparent=SAMPLED)
    [record] = [record for record in caplog.records if record.name == "bdp.api.app"]
    line = json.loads(JsonFormatter("api").format(record))
    assert (line["trace_id"], line["error"]) == (TRACE_ID, "ZeroDivisionError")
    assert "4111" not in json.dumps(line)
