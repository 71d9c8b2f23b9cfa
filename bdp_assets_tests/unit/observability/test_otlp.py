"""The exporter's JSON is OTLP by OpenTelemetry's own schema; a collector that is away costs spans alone."""

from __future__ import annotations

import base64
import logging
from typing import Any

import pytest
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SpanExportResult

from bdp_assets.observability import tracing
from bdp_assets.observability.otlp import OtlpExporter, payload
from bdp_assets.observability.traced_batch import Above, step
from bdp_assets_tests.fakes.collector import collector
from bdp_assets_tests.fakes.spans import told_spans

CONTEXT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def spans() -> Any:
    with told_spans(0.0) as told:
        with tracing.batch(lambda: {1: Above(CONTEXT, "predict", "consumer", {"n": 3, "t": "x"})}), step("s"):
            pass
        return told()


def as_protobuf(request: dict[str, Any]) -> ExportTraceServiceRequest:
    """OTLP writes ids as hex digits, where protobuf's own JSON has base64; all else is the same."""
    for resource in request["resourceSpans"]:
        for scope in resource["scopeSpans"]:
            for span in scope["spans"]:
                for name in {"traceId", "spanId", "parentSpanId"} & set(span):
                    span[name] = base64.b64encode(bytes.fromhex(span[name])).decode()
    return json_format.ParseDict(request, ExportTraceServiceRequest())


def test_the_payload_is_what_the_schema_says() -> None:
    [resource] = as_protobuf(payload(spans())).resource_spans
    whose = {one.key: one.value.string_value for one in resource.resource.attributes}
    assert (whose["service.name"], whose["service.namespace"]) == ("test", "bdp")
    root, child = sorted(resource.scope_spans[0].spans, key=lambda span: span.name)
    assert (root.name, root.kind, child.name, child.kind) == ("predict", 5, "s", 1)
    assert (root.trace_id.hex(), root.parent_span_id.hex()) == (CONTEXT[3:35], CONTEXT[36:52])
    assert child.parent_span_id == root.span_id
    assert 0 < root.start_time_unix_nano <= child.start_time_unix_nano <= child.end_time_unix_nano
    about = {one.key: one.value for one in root.attributes}
    assert (about["n"].int_value, about["t"].string_value) == (3, "x")


@pytest.mark.enable_socket
def test_a_collector_that_is_away_is_told_of_once_and_so_is_its_return(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    some = spans()
    with collector() as taken:
        exporter = OtlpExporter(taken.endpoint)
        taken.status = 503
        assert [exporter.export(some) for _ in range(2)] == [SpanExportResult.FAILURE] * 2
        taken.status = 200
        assert exporter.export(some) is SpanExportResult.SUCCESS
        assert {span["name"] for span in taken.spans} == {"predict", "s"}
    exporter.shutdown()
    assert exporter.export(some) is SpanExportResult.FAILURE
    told = [record for record in caplog.records if record.name == OtlpExporter.__module__]
    assert [(one.levelname, vars(one).get("reason"), vars(one).get("lost")) for one in told] == [
        ("WARNING", "HTTP 503", None),
        ("INFO", None, 2 * len(some)),
        ("WARNING", "ConnectionRefusedError", None),
    ]
