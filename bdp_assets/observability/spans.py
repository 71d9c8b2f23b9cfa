"""Spans by OpenTelemetry's SDK. Only `tracing.start` imports this: the SDK is for those who trace."""

from __future__ import annotations

import os
import threading

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON
from opentelemetry.trace import (
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
    Tracer,
    format_span_id,
    format_trace_id,
    set_span_in_context,
)
from opentelemetry.trace import Span as SdkSpan

from bdp_assets.observability import trace_context
from bdp_assets.observability.traced_batch import Attributes, Kind

QUEUED = 8_192
"""Most spans that wait to be sent; what comes on top is lost, and the log says so."""
AT_ONCE = 512
EVERY_MS = 1_000
CLOSE_S = 5.0

_SAMPLED = TraceFlags(TraceFlags.SAMPLED)


class _Ids(RandomIdGenerator):
    """Random but for their letters, see `trace_context`."""

    def generate_trace_id(self) -> int:
        return super().generate_trace_id() | trace_context.TRACE_LETTERS

    def generate_span_id(self) -> int:
        return super().generate_span_id() | trace_context.SPAN_LETTERS

    def is_trace_id_random(self) -> bool:
        return False  # In the standard's sense: each of the last 56 bits.


class OpenSpan:
    """See `traced_batch.Span`."""

    def __init__(self, tracer: Tracer, span: SdkSpan) -> None:
        self._tracer = tracer
        self._span = span

    @property
    def traceparent(self) -> str:
        own = self._span.get_span_context()
        digits = format_trace_id(own.trace_id) + format_span_id(own.span_id)
        return trace_context.context(digits, sampled=True)

    def child(self, name: str, began_ns: int) -> OpenSpan:
        under = set_span_in_context(self._span, Context())
        return OpenSpan(self._tracer, self._tracer.start_span(name, under, start_time=began_ns))

    def end(
        self,
        *,
        name: str | None = None,
        error: str | None = None,
        ended_ns: int | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        if name is not None:
            self._span.update_name(name)
        if attributes:
            self._span.set_attributes(dict(attributes))
        if error is not None:
            self._span.set_attribute("error.type", error)
            self._span.set_status(Status(StatusCode.ERROR))
        self._span.end(ended_ns)


class SdkSpans:
    """See `traced_batch.Spans`. What is sampled is decided before it is asked."""

    def __init__(self, service: str, exporter: SpanExporter) -> None:
        whose: Attributes = {"service.name": service, "service.namespace": "bdp", "process.pid": os.getpid()}
        self._provider = TracerProvider(
            ALWAYS_ON, Resource.create(whose), shutdown_on_exit=False, id_generator=_Ids()
        )
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=QUEUED,
                max_export_batch_size=AT_ONCE,
                schedule_delay_millis=EVERY_MS,
            )
        )
        self._tracer = self._provider.get_tracer("bdp_assets")

    def open(
        self,
        name: str,
        kind: Kind,
        parent: str | None,
        began_ns: int | None = None,
        attributes: Attributes | None = None,
    ) -> OpenSpan:
        under = Context() if parent is None else _remote(parent)
        span = self._tracer.start_span(
            name, under, SpanKind[kind.upper()], dict(attributes or {}), start_time=began_ns
        )
        return OpenSpan(self._tracer, span)

    def close(self) -> None:
        """Sends for a while what is left: a collector that hangs must not hold up the end of a worker."""
        sending = threading.Thread(target=self._provider.shutdown, name="last spans", daemon=True)
        sending.start()
        sending.join(CLOSE_S)


def _remote(traceparent: str) -> Context:
    found = trace_context.ids(traceparent)
    context = SpanContext(found.trace, found.span, is_remote=True, trace_flags=_SAMPLED)
    return set_span_in_context(NonRecordingSpan(context), Context())
