from __future__ import annotations

import pytest

from bdp_assets.clients.dagster import AssetState
from bdp_assets.contracts.topics import RAW, TOPICS, VALIDATED
from bdp_assets.operations.watching.pages import Page
from bdp_assets.operations.watching.positions import Positions, Reader
from bdp_assets.operations.watching.sections import (
    LatencyRow,
    RateRow,
    TopicRow,
    assets,
    latencies,
    rates,
    topics,
)
from bdp_assets.operations.watching.source import Look

RAW_, VALIDATED_ = RAW.name, VALIDATED.name


def page(**samples: float) -> Page:
    """`name__label__value` -> its value."""
    found = {}
    for key, value in samples.items():
        name, *labels = key.split("__")
        found[(name, frozenset(zip(labels[::2], labels[1::2], strict=True)))] = value
    return found


def test_topics_have_rates_and_what_their_group_lags() -> None:
    looks = [
        Look(13.0, Positions({RAW_: 100, VALIDATED_: 50}, 10.0, {RAW_: Reader("g", 90, 10, 12.0)})),
        Look(15.0, Positions({RAW_: 140, VALIDATED_: 50}, 14.0, {RAW_: Reader("g", 110, 7, 14.0)})),
    ]
    assert topics(looks) == [TopicRow(RAW_, 10.0, "g", 10.0, 7), TopicRow(VALIDATED_, 0.0)]
    assert topics(looks[:1])[0] == TopicRow(RAW_, None, "g", None, 10), "one look knows no rate"


def test_a_topic_that_was_made_anew_has_no_rate_yet() -> None:
    looks = [
        Look(0.0, Positions({RAW_: 100}, 0.0, {})),
        Look(1.0, Positions({RAW_: 3, VALIDATED_: 1}, 1.0, {})),
    ]
    assert topics(looks) == [TopicRow(RAW_, None), TopicRow(VALIDATED_, None)]
    assert [row.topic for row in topics(looks)] == [name for name in TOPICS if name in (RAW_, VALIDATED_)]


def test_rates_are_a_second_and_kinds_have_shares() -> None:
    before = page(
        bdp_api_decisions_total__decision__approve=0,
        bdp_api_requests_total__route__x=0,
        bdp_stream_messages_total=5,
        bdp_api_degraded_total=0,
    )
    after = {
        **page(
            bdp_api_decisions_total__decision__approve=6,
            bdp_api_decisions_total__decision__decline=2,
            bdp_stream_messages_total=25,
            bdp_stream_dead_letters_total__error__not_json=4,
            bdp_api_degraded_total=0,
        ),
        ("bdp_api_requests_total", frozenset({("route", "/api/v1/predict"), ("status", "200")})): 6.0,
        ("bdp_api_requests_total", frozenset({("route", "/api/v1/predict"), ("status", "503")})): 2.0,
        ("bdp_api_requests_total", frozenset({("route", "/health"), ("status", "503")})): 90.0,
    }
    found = {row.name.strip(): row for row in rates([Look(0.0, {"all": before}), Look(2.0, {"all": after})])}
    assert found["API calls"].per_s == 4.0, "whoever looks whether it is well does not count"
    assert found["answered 5xx"] == RateRow("  answered 5xx", 1.0, 0.25)
    assert found["API decisions"].per_s == 4.0
    assert [found[kind].share for kind in ("approve", "review", "decline")] == [0.75, 0.0, 0.25]
    assert found["stream: messages done"].per_s == 10.0
    assert found["stream: dead letters"].per_s == 2.0
    assert found["stream: alerts"].per_s == 0.0, "a counter that never counted is not shown, and is none"


def test_what_nobody_shows_is_unknown_and_not_nought() -> None:
    found = {row.name: row.per_s for row in rates([Look(0.0, {"x": {}}), Look(1.0, {"x": {}})])}
    assert [
        found[name] for name in ("API calls", "API decisions", "stream: messages done", "stream: alerts")
    ] == [None] * 4


def test_latencies_are_those_between_the_looks() -> None:
    before, after = (
        {
            (
                "bdp_api_request_duration_seconds_bucket",
                frozenset({("route", "/api/v1/predict"), ("le", le)}),
            ): n
            for le, n in counts.items()
        }
        for counts in ({"0.01": 900.0, "+Inf": 1_000.0}, {"0.01": 1_000.0, "+Inf": 1_100.0})
    )
    looks = [
        Look(0.0, {"api": before}),
        Look(1.0, {"api": {**after, **page(bdp_lake_oldest_waiting_seconds=42)}}),
    ]
    prediction, feature, _, lake = latencies(looks)
    assert prediction.p50_s == pytest.approx(0.005), "the slow ones of before are over"
    assert (feature.p50_s, feature.p99_s) == (None, None)
    assert lake == LatencyRow("lake: the oldest message waits", None, 42)


def test_what_is_not_well_is_the_first_asset() -> None:
    def state(name: str, made_s: float | None, freshness: str = "", *failed: str) -> AssetState:
        return AssetState(name, made_s, freshness, 1, failed, ())

    found = assets(
        [
            state("a/new", 990),
            state("a/never", None),
            state("a/ill", 900, "HEALTHY", "x"),
            state("a/late", 1, "WARNING"),
        ],
        1_000,
    )
    assert [row.name for row in found] == ["a/ill", "a/late", "a/new", "a/never"]
    assert [row.is_well for row in found] == [False, False, True, True]
    assert [row.freshness for row in found] == ["fresh", "late", "", ""]
    assert found[2].age_s == 10
