"""Alerts in the store: what a naive reader of the same decisions says, in whatever order they come."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.crc import key_slot

from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.records import Alert, Decision, Prediction, Reason, Severity
from bdp_assets.decisions.alerts import KEPT_S, WINDOW_MS, Alerts
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.times import DAY, HOUR
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.alerts import NaiveAlerts
from bdp_assets_tests.unit.features.frames import label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import START, transaction

pytestmark = pytest.mark.services

CODES = [f"code_{number}" for number in range(14)]


def decided(number: int, ts_ms: int = START, customer: str = "c0", **fields: Any) -> Prediction:
    made = {
        "transaction_id": f"t{number}",
        "customer_id": customer,
        "ts_ms": ts_ms,
        "amount_base_minor": 700,
        "fraud_probability": 0.9,
        "decision": Decision.DECLINE,
        "reasons": [Reason("score_at_decline", 'text with "quotes", \n and \u00fcml\u00e4uts')],
        "model_name": "m",
        "model_version": "1",
        "policy_version": "p",
        "catalog_version": "c",
        "apply_seq": number,
        "features": {},
        "degraded": False,
        "decided_by": "stream",
        "decided_at_ms": 1,
        **fields,
    }
    return Prediction(**made)


@st.composite
def streams(draw: st.DrawFn) -> list[Prediction]:
    """Decisions of two customers over some windows, some again and again, and in any order."""
    made = [
        decided(
            number,
            START + draw(st.sampled_from([0, 1, HOUR - 1, HOUR, 3 * HOUR])),
            draw(st.sampled_from(["c0", "c1"])),
            amount_base_minor=draw(st.sampled_from([0, 1, 99_999, 100_000, 10**12])),
            decision=draw(st.sampled_from(Decision)),
            severity=draw(st.sampled_from([None, *Severity])),
            reasons=[
                Reason(code, f"of {number}") for code in draw(st.lists(st.sampled_from(CODES), max_size=5))
            ],
        )
        for number in range(draw(st.integers(1, 12)))
    ]
    return draw(st.lists(st.sampled_from(made), max_size=30))


@settings(max_examples=cases(150), deadline=None)
@given(stream=streams(), cut=st.integers(0, 30))
def test_alerts_are_what_a_naive_reader_says(store_client: Redis, stream: list[Prediction], cut: int) -> None:
    store_client.flushdb()
    alerts, naive = Alerts(store_client), NaiveAlerts()
    assert encoded(alerts(stream[:cut]) + alerts(stream[cut:])) == encoded(naive(stream))
    assert encoded(alerts(stream)) == encoded(naive(stream)), "delivered again"


def encoded(alerts: list[Alert | None]) -> list[bytes]:
    return [msgspec.json.encode(alert) for alert in alerts]


def test_an_attack_is_one_alert_that_grows_and_calls_people_once(store_client: Redis) -> None:
    store_client.flushdb()
    attack = [decided(number, START + number) for number in range(100)]
    grown = [alert for alert in Alerts(store_client)(attack) if alert is not None]
    assert len({alert.alert_id for alert in grown}) == 1
    assert [alert.revision for alert in grown] == list(range(1, 101))
    assert [alert.revision for alert in grown if alert.notify] == [1]
    last = grown[-1]
    assert (last.transactions, last.amount_at_risk_minor) == (100, 70_000)
    assert (last.first_ms, last.last_ms) == (START, START + 99)
    assert [reason.code for reason in last.reasons] == ["score_at_decline"]


def test_who_gets_worse_is_told_of_again(store_client: Redis) -> None:
    store_client.flushdb()
    severities = [Severity.MEDIUM, Severity.MEDIUM, Severity.CRITICAL, Severity.HIGH]
    stream = [decided(number, severity=severity) for number, severity in enumerate(severities)]
    grown = [alert for alert in Alerts(store_client)(stream) if alert is not None]
    assert [alert.notify for alert in grown] == [True, False, True, False]
    assert [alert.severity for alert in grown] == ["medium", "medium", "critical", "critical"]


def test_amounts_stop_where_the_store_would_round(store_client: Redis) -> None:
    store_client.flushdb()
    most = 2**53
    stream = [decided(number, amount_base_minor=most // 2 + 1) for number in range(3)]
    grown = [alert for alert in Alerts(store_client)(stream) if alert is not None]
    assert [alert.amount_at_risk_minor for alert in grown] == [most // 2 + 1, most, most]


def test_an_alert_lies_with_its_customer_and_leaves_in_time(store_client: Redis) -> None:
    store_client.flushdb()
    OnlineStore(store_client).enrich([transaction(1, START)], ["topic:0:1"])
    Alerts(store_client)([decided(1)])
    keys = list(store_client.scan_iter())
    (alert,) = [key for key in keys if key.startswith(b"bdp:alerts:")]
    assert len({key_slot(key) for key in keys}) == 1
    assert KEPT_S - 60 < store_client.ttl(alert) <= KEPT_S
    assert DAY % WINDOW_MS == 0, "an alert's rows lie in one day of the lake"


def test_a_rebuild_of_the_store_leaves_open_alerts_alone(store_client: Redis) -> None:
    store_client.flushdb()
    alerts = Alerts(store_client)
    alerts([decided(1)])
    OnlineStore(store_client).rebuild(transaction_frame([transaction(1, START)]), label_frame([]))
    (grown,) = alerts([decided(2)])
    assert grown is not None
    assert (grown.revision, grown.amount_at_risk_minor) == (2, 1_400)


def test_a_server_that_forgot_the_script_is_told_again(store_client: Redis) -> None:
    store_client.flushdb()
    alerts = Alerts(store_client)
    alerts([decided(1)])
    store_client.script_flush()
    (grown,) = alerts([decided(2)])
    assert grown is not None
    assert grown.revision == 2
