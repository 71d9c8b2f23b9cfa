"""Spans of what is sampled: of calls, of messages, and of the steps of what is done for many of them at once.

Off, which is without an endpoint, all of this is a look at one variable: the SDK is not imported, and there
are no spans. On, it is that for whatever is not sampled.

What a caller or producer says is sampled, or is not, stays so; of traces that begin here, a share is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from contextlib import AbstractContextManager

from bdp_assets.observability.trace_context import draw, is_sampled
from bdp_assets.observability.traced_batch import NOTHING, Above, Attributes, Batch, Span, Spans

_spans: Spans | None = None
_share = 0.0


def start(service: str, endpoint: str | None, share: float) -> None:
    """Tell spans of this process, as `service`, to `endpoint` (http[s]://host:port, OTLP); None: do not.

    `share` of the traces that begin here are sampled.
    """
    if endpoint is not None:
        from bdp_assets.observability.otlp import OtlpExporter  # loads the SDK
        from bdp_assets.observability.spans import SdkSpans

        turn_on(SdkSpans(service, OtlpExporter(endpoint)), share)


def turn_on(spans: Spans, share: float) -> None:
    global _spans, _share
    _spans, _share = spans, share


def stop() -> None:
    """Tell what is left, for some seconds at most; off from then on."""
    global _spans
    spans, _spans = _spans, None
    if spans is not None:
        spans.close()


def is_on() -> bool:
    return _spans is not None


def arrived(sent: str | None) -> Span | None:
    """The span of a call that came with a (well-formed) context, or None: with none. None: not sampled."""
    if _spans is None:
        return None
    sampled = draw(_share) if sent is None else is_sampled(sent)
    return _spans.open("call", "server", sent) if sampled else None


def sending(topic: str, traceparent: str) -> Span | None:
    """The span of a message on its way to a topic, under the call that caused it. None: not sampled."""
    if _spans is None or not is_sampled(traceparent):
        return None
    about: Attributes = {"messaging.system": "kafka", "messaging.destination.name": topic}
    return _spans.open(f"send {topic}", "producer", traceparent, attributes=about)


def batch(above: Callable[[], Mapping[Hashable, Above]]) -> AbstractContextManager[None]:
    """Around what is done for many at once, in one thread; `above` says who of them is sampled."""
    if _spans is None:
        return NOTHING
    sampled = above()
    return Batch(_spans, sampled) if sampled else NOTHING
