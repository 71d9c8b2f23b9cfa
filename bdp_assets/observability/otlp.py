"""Spans to a collector: OTLP as JSON over HTTP. The SDK's exporter would be one more dependency."""

from __future__ import annotations

import http.client
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SpanExporter, SpanExportResult
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

PATH = "/v1/traces"
TIMEOUT_S = 3.0

_KINDS = {
    SpanKind.INTERNAL: 1,
    SpanKind.SERVER: 2,
    SpanKind.CLIENT: 3,
    SpanKind.PRODUCER: 4,
    SpanKind.CONSUMER: 5,
}
_STATUS = {StatusCode.UNSET: 0, StatusCode.OK: 1, StatusCode.ERROR: 2}
_log = logging.getLogger(__name__)


class OtlpExporter(SpanExporter):
    """Posts spans to `endpoint` (http[s]://host[:port][/path]), in the SDK's thread.

    What the collector does not take is lost: traces are a sample, and the platform waits for nobody to watch
    it. The log has a line when that begins, and one when it is over.
    """

    def __init__(self, endpoint: str) -> None:
        parts = urlsplit(endpoint)
        connect = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = connect(parts.hostname or "", parts.port, timeout=TIMEOUT_S)
        self._path = parts.path.rstrip("/") + PATH
        self._lost = 0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        trouble = self._post(json.dumps(payload(spans), separators=(",", ":")).encode())
        if trouble is not None:
            if not self._lost:
                _log.warning("spans are lost: is BDP_TRACES_ENDPOINT a collector?", extra={"reason": trouble})
            self._lost += len(spans)
            return SpanExportResult.FAILURE
        if self._lost:
            _log.info("spans are sent again", extra={"lost": self._lost})
            self._lost = 0
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None:
        self._connection.close()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """There is nothing here that waits."""
        return True

    def _post(self, body: bytes) -> str | None:
        """What went wrong, if anything did."""
        try:
            self._connection.request("POST", self._path, body, {"Content-Type": "application/json"})
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as error:
            return type(error).__name__
        finally:
            # The next request opens it again: one that is kept may be closed over there as it is used.
            self._connection.close()
        return None if answer.status == http.HTTPStatus.OK else f"HTTP {answer.status}"


def payload(spans: Sequence[ReadableSpan]) -> dict[str, Any]:
    """An ExportTraceServiceRequest in OTLP's JSON: ids as hex digits, 64-bit integers as text.

    All spans are of one process: they share their resource.
    """
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes(spans[0].resource.attributes)},
                "scopeSpans": [{"scope": {"name": "bdp_assets"}, "spans": [_span(one) for one in spans]}],
            }
        ]
    }


def _span(span: ReadableSpan) -> dict[str, Any]:
    parent = {} if span.parent is None else {"parentSpanId": format_span_id(span.parent.span_id)}
    return {
        "traceId": format_trace_id(span.context.trace_id),
        "spanId": format_span_id(span.context.span_id),
        **parent,
        "name": span.name,
        "kind": _KINDS[span.kind],
        "startTimeUnixNano": str(span.start_time),
        "endTimeUnixNano": str(span.end_time),
        "attributes": _attributes(span.attributes or {}),
        "status": {"code": _STATUS[span.status.status_code]},
    }


def _attributes(attributes: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [{"key": name, "value": _value(value)} for name, value in attributes.items()]


def _value(value: object) -> dict[str, str]:
    """We set texts and integers; a resource may have others (OTEL_RESOURCE_ATTRIBUTES), told as text."""
    return {"intValue": str(value)} if type(value) is int else {"stringValue": str(value)}
