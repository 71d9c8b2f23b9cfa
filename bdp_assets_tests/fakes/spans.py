"""What this process tells of traces, kept instead of sent."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from bdp_assets.observability import tracing
from bdp_assets.observability.spans import SdkSpans

Told = Callable[[], Sequence[ReadableSpan]]
"""All spans that have ended; tracing is off from then on."""


@contextmanager
def told_spans(share: float) -> Iterator[Told]:
    """Tracing is on within; `share` of the traces that begin here are sampled."""
    exporter = InMemorySpanExporter()

    def told() -> Sequence[ReadableSpan]:
        tracing.stop()
        return exporter.get_finished_spans()

    tracing.turn_on(SdkSpans("test", exporter), share)
    try:
        yield told
    finally:
        tracing.stop()


def tree(spans: Sequence[ReadableSpan]) -> list[tuple[str, str]]:
    """(name, name of its parent) in order of beginning; a parent that is not among them is ''."""
    names = {span.context.span_id: span.name for span in spans}
    began = sorted(spans, key=lambda span: (span.start_time or 0, -(span.end_time or 0)))
    return [(span.name, names.get(span.parent.span_id, "") if span.parent else "") for span in began]
