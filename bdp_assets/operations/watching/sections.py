"""From looks at the parts to the rows of the screen. Pure: what is drawn, and how, is the command's."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bdp_assets.clients.dagster import AssetState
from bdp_assets.contracts.records import Decision
from bdp_assets.contracts.topics import TOPICS
from bdp_assets.operations.watching.pages import Pages, gains, percentile, shown
from bdp_assets.operations.watching.positions import Positions
from bdp_assets.operations.watching.source import Look

API, PREDICT = "/api/v1/", "/api/v1/predict"
STATUSES_5XX = ("500", "503")
"""All of that kind that an API process answers."""
_FRESHNESS = {"HEALTHY": "fresh", "WARNING": "late", "DEGRADED": "stale", "UNKNOWN": "unknown"}


@dataclass(frozen=True)
class TopicRow:
    """A topic, and the consumer group that reads it. Rates are offsets a second (markers of transactions
    count, too), None before there are two looks. `lag`: messages that the group has not done.
    """

    topic: str
    in_per_s: float | None
    group: str = ""
    out_per_s: float | None = None
    lag: int | None = None


@dataclass(frozen=True)
class RateRow:
    """Something that is counted. `per_s`: None while nobody tells."""

    name: str
    per_s: float | None
    share: float | None = None
    """Of the row above that it is a part of; 0 to 1."""


@dataclass(frozen=True)
class LatencyRow:
    """Seconds; None: nothing of it was measured lately."""

    name: str
    p50_s: float | None
    p99_s: float | None


@dataclass(frozen=True)
class AssetRow:
    """`age_s`: since it was made last, None for never. `freshness`: fresh, late, stale, unknown; empty: it
    has no policy. `failed`: checks that failed and are errors; `warned`: those that only warn.
    """

    name: str
    age_s: float | None
    freshness: str
    failed: tuple[str, ...]
    warned: tuple[str, ...]

    @property
    def is_well(self) -> bool:
        return not self.failed and self.freshness not in ("late", "stale")


def topics(looks: Sequence[Look[Positions]]) -> list[TopicRow]:
    """Of the topics that are there, as the contract lists them."""
    first, last = looks[0].value, looks[-1].value
    rows = []
    for topic in (name for name in TOPICS if name in last.ends):
        in_per_s = _rate(first.ends.get(topic), last.ends[topic], last.at_s - first.at_s)
        reader, earlier = last.readers.get(topic), first.readers.get(topic)
        if reader is None:
            rows.append(TopicRow(topic, in_per_s))
            continue
        out_per_s = _rate(earlier.done, reader.done, reader.at_s - earlier.at_s) if earlier else None
        rows.append(TopicRow(topic, in_per_s, reader.group, out_per_s, reader.lag))
    return rows


def rates(looks: Sequence[Look[Pages]]) -> list[RateRow]:
    """What API and workers count, a second."""
    seconds = looks[-1].at_s - looks[0].at_s
    pages = [look.value for look in looks]

    def per_s(name: str, of: str = "") -> float | None:
        """`of`: a counter that is shown from the start, by whoever will show this one after its first."""
        if not seconds or not shown(pages[-1].values(), of or name):
            return None
        return sum(gains(pages, name, "").values()) / seconds

    decided = per_s("bdp_api_decisions_total")
    made = gains(pages, "bdp_api_decisions_total", "decision")
    calls = sum(count for route, count in _calls(pages).items() if route.startswith(API))
    failed = sum(
        count
        for status in STATUSES_5XX
        for route, count in _calls(pages, status=status).items()
        if route.startswith(API)
    )
    return [
        RateRow("API calls", None if decided is None else calls / seconds),
        _part("answered 5xx", failed, calls, seconds),
        RateRow("API decisions", decided),
        *(_part(kind, made.get(kind, 0.0), sum(made.values()), seconds) for kind in Decision),
        RateRow("without history (degraded)", per_s("bdp_api_degraded_total")),
        RateRow("stream: messages done", per_s("bdp_stream_messages_total")),
        RateRow(
            "stream: dead letters", per_s("bdp_stream_dead_letters_total", of="bdp_stream_messages_total")
        ),
        RateRow("stream: alerts", per_s("bdp_stream_alerts_total", of="bdp_stream_messages_total")),
    ]


def latencies(looks: Sequence[Look[Pages]]) -> list[LatencyRow]:
    """From what API and workers measured between the looks."""
    pages = [look.value for look in looks]
    asked = (
        ("API: one prediction", "bdp_api_request_duration_seconds", {"route": PREDICT}),
        ("stream: until its features can be read", "bdp_stream_freshness_seconds", {"until": "feature"}),
        ("stream: until its output can be read", "bdp_stream_freshness_seconds", {"until": "output"}),
    )
    rows = [
        LatencyRow(name, percentile(pages, metric, 50, **labels), percentile(pages, metric, 99, **labels))
        for name, metric, labels in asked
    ]
    waiting = shown(pages[-1].values(), "bdp_lake_oldest_waiting_seconds")
    return [*rows, LatencyRow("lake: the oldest message waits", None, max(waiting))] if waiting else rows


def assets(states: Sequence[AssetState], now_s: float) -> list[AssetRow]:
    """What is not well first, then what was made lately; what was never made comes last."""
    rows = [
        AssetRow(
            name=state.name,
            age_s=None if state.made_s is None else max(0.0, now_s - state.made_s),
            freshness=_FRESHNESS.get(state.freshness, state.freshness.lower()),
            failed=state.checks_failed,
            warned=state.checks_warned,
        )
        for state in states
    ]
    return sorted(rows, key=lambda row: (row.is_well, row.age_s is None, row.age_s or 0.0))


def _calls(pages: Sequence[Pages], **labels: str) -> dict[str, float]:
    """By route."""
    return gains(pages, "bdp_api_requests_total", "route", **labels)


def _rate(before: int | None, after: int, seconds: float) -> float | None:
    """None before there is a second look, and where a topic was made anew."""
    if before is None or seconds <= 0 or after < before:
        return None
    return (after - before) / seconds


def _part(name: str, count: float, of: float, seconds: float) -> RateRow:
    return RateRow(f"  {name}", count / seconds if seconds else None, count / of if of else None)
