"""Who is sampled, what is told of a batch, and that nothing is there while tracing is off."""

from __future__ import annotations

import random
import subprocess
import sys

import pytest
from opentelemetry.trace import StatusCode, format_trace_id

from bdp_assets.contracts.pan import may_hold_pan
from bdp_assets.observability import trace_context, tracing
from bdp_assets.observability.traced_batch import Above, current, step
from bdp_assets_tests.fakes.spans import told_spans, tree

SAMPLED = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
NOT_SAMPLED = SAMPLED[:-1] + "0"
WORKS = ("bento.app", "bento.serving", "bdp_assets.streaming.worker")
LOADED = ("opentelemetry.sdk.trace", "bdp_assets.observability.spans", "bdp_assets.observability.otlp")
"""redis-py imports the SDK's part for metrics of its own accord."""
OFF = f"""
import importlib, sys
for name in {WORKS}:
    importlib.import_module(name)
from bdp_assets.observability import tracing
tracing.start("test", None, 1.0)
assert tracing.arrived({SAMPLED!r}) is None
assert tracing.sending("topic", {SAMPLED!r}) is None
print(tracing.is_on(), [name for name in {LOADED} if name in sys.modules])
tracing.start("test", "http://127.0.0.1:1", 0.0)
print(tracing.is_on(), len([name for name in {LOADED} if name in sys.modules]))
"""


def test_off_nothing_of_it_is_even_imported() -> None:
    ran = subprocess.run([sys.executable, "-c", OFF], capture_output=True, text=True, check=True)
    assert ran.stdout.splitlines() == ["False []", "True 3"]


def test_off_a_batch_asks_for_nothing() -> None:
    with tracing.batch(lambda: pytest.fail("somebody asked")), step("validate"):
        assert current() is None


@pytest.mark.parametrize(("sent", "share", "spans"), [(SAMPLED, 0.0, 1), (NOT_SAMPLED, 1.0, 0)])
def test_what_the_caller_says_is_sampled_or_is_not(sent: str, share: float, spans: int) -> None:
    with told_spans(share) as told:
        if span := tracing.arrived(sent):
            assert trace_context.ids(span.traceparent).trace == trace_context.ids(sent).trace
            span.end()
        assert (tracing.sending("topic", sent) is not None) == bool(spans)
        assert len(told()) == spans


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_of_traces_that_begin_here_a_share_is_sampled(share: float) -> None:
    with told_spans(share) as told:
        opened = [tracing.arrived(None) for _ in range(20)]
        for span in opened:
            if span:
                span.end()
        assert [span.parent for span in told()] == [None] * int(20 * share)


def test_no_ids_of_a_span_look_like_a_card_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(random, "getrandbits", lambda bits: int("41111111" * (bits // 32), 16))
    with told_spans(1.0):
        span = tracing.arrived(None)
        assert span is not None
        assert not may_hold_pan(span.traceparent.encode())


def test_a_batch_is_told_under_each_with_the_same_times() -> None:
    contexts = {name: trace_context.new(sampled=True) for name in ("a", "b")}
    above = {name: Above(one, "predict", "internal") for name, one in contexts.items()}
    with told_spans(0.0) as told:
        with tracing.batch(lambda: above), step("decide"), step("model"):
            batch = current()
            assert batch is not None
            for key, name in (("a", "t-1"), ("b", "t-2"), ("b", "t-3"), ("nobody", "t-4")):
                batch.decides(key, name)
        assert current() is None
        spans = told()
    for context in contexts.values():
        own = [span for span in spans if span.context.trace_id == trace_context.ids(context).trace]
        assert tree(own) == [("predict", ""), ("decide", "predict"), ("model", "decide")]
        [root] = [span for span in own if span.name == "predict"]
        assert root.parent is not None
        assert root.parent.span_id == trace_context.ids(context).span
    by_name: dict[str, set[tuple[int | None, int | None]]] = {}
    for span in spans:
        by_name.setdefault(span.name, set()).add((span.start_time, span.end_time))
    assert {name: len(times) for name, times in by_name.items()} == {"predict": 1, "decide": 1, "model": 1}
    about = {
        format_trace_id(s.context.trace_id): dict(s.attributes or {}) for s in spans if s.name == "predict"
    }
    assert about[contexts["a"][3:35]] == {"bdp.transactions": 1, "bdp.transaction_id": "t-1"}
    assert about[contexts["b"][3:35]] == {"bdp.transactions": 2}


def test_a_defect_is_told_by_its_name_alone_and_goes_on() -> None:
    with told_spans(0.0) as told:
        with (
            pytest.raises(ZeroDivisionError),
            tracing.batch(lambda: {1: Above(SAMPLED, "predict", "internal")}),
            step("decide"),
        ):
            raise ZeroDivisionError("4111 1111 1111 1111")
        spans = told()
    assert [span.status.status_code for span in spans] == [StatusCode.ERROR] * 2
    assert {(span.attributes or {})["error.type"] for span in spans} == {"ZeroDivisionError"}
    assert "4111" not in "".join(span.to_json() for span in spans)
