"""Processes of the service that start without what they need, are killed, or do not come back."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest

from bdp_assets.clients import kafka
from bdp_assets.contracts.codec import decode_prediction
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.topics import LABELS as LABELS_TOPIC
from bdp_assets.contracts.topics import RAW
from bdp_assets.decisions.carried import carried
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import PAN_KEY
from bdp_assets_tests.integration.conftest import free_ports
from bdp_assets_tests.integration.running_api import (
    PROJECT,
    RunningApi,
    get,
    lives,
    messages_of,
    post,
    raw_messages,
    serving,
    wait_until,
)

pytestmark = pytest.mark.services


def test_without_model_store_and_broker_it_lives_and_says_what_to_do(tmp_path: Path) -> None:
    ports = free_ports()
    settings = Settings(_env_file=None, home=tmp_path, **ports)  # type: ignore[call-arg, arg-type]
    with serving(settings) as (url, log):
        health = get(f"{url}/health")
        assert health.status_code == 503
        assert health.json()["alive"] is True
        away = {"model": "missing", "online_store": "down", "kafka": "down"}
        assert health.json()["dependencies"] == away | {"spool": "ok"}
        body = {"transaction_id": "a", "customer_id": "a", "amount": 1, "timestamp": "2026-01-15T10:30:00Z"}
        refused = post(f"{url}/api/v1/predict", json=body)
        assert refused.status_code == 503
        assert "bdp train" in refused.json()["error"]["message"]
        assert get(f"{url}/readyz").status_code == 503
    assert "no model to serve" in log.read_text()


def test_what_a_process_left_that_does_not_come_back_is_sent_by_another(
    settings: Settings, store: subprocess.Popen[bytes], models: Path, tmp_path: Path
) -> None:
    """Two processes of one home; Kafka is away for the one that ends."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "models").symlink_to(models)
    kept = {"home": home, "redis_port": settings.redis_port}
    stays = settings.model_copy(update={**free_ports(), **kept, "kafka_bootstrap": settings.kafka_bootstrap})
    goes = settings.model_copy(update={**free_ports(), **kept, "kafka_bootstrap": "127.0.0.1:1"})
    before = kafka.watermarks(settings, [RAW.name])
    with serving(stays):
        with serving(goes) as (url, log):
            caller = RunningApi(goes, url, log, store)
            answers = [caller.predict(f"left-{number}", customer_id="left").json() for number in range(5)]
        messages = raw_messages(settings, before, "left", expected=len(answers))
    decisions = [carried(message, PAN_KEY) for message in messages]
    assert [one and decode_prediction(one).fraud_probability for one in decisions] == [
        answer["fraud_probability"] for answer in answers
    ]


def test_what_was_answered_outlives_a_kill_and_reaches_the_stream(
    settings: Settings, store: subprocess.Popen[bytes], models: Path, tmp_path: Path
) -> None:
    """Answered while Kafka was away, killed under load, started again when Kafka is back."""
    home, own = tmp_path / "home", free_ports()
    home.mkdir()
    (home / "models").symlink_to(models)
    kept = {"home": home, "redis_port": settings.redis_port}
    away = settings.model_copy(update={**own, **kept, "kafka_bootstrap": "127.0.0.1:1"})
    before = kafka.watermarks(settings, [RAW.name, LABELS_TOPIC.name])
    with serving(away) as (url, log):
        caller = RunningApi(away, url, log, store)
        assert caller.dependencies()["kafka"] == "down"
        answers = [caller.predict(f"kept-{number}", customer_id="kept").json() for number in range(20)]
        labelled = [caller.label(f"kept-{number}", "kept").json() for number in range(20)]
        with ThreadPoolExecutor(4) as threads:
            calls = [
                threads.submit(caller.predict, f"late-{number}", customer_id="kept") for number in range(400)
            ]
            time.sleep(0.2)
            kill(url, away)
        late = [call.result().json() for call in calls if call.exception() is None]
    back = away.model_copy(update={"kafka_bootstrap": settings.kafka_bootstrap})
    with serving(back):
        answered = answers + [answer for answer in late if "decision" in answer]
        # Some were written down, and killed before their answer was heard.
        messages = raw_messages(settings, before, "kept", expected=len(answered), or_more=True)
        labels = messages_of(settings, LABELS_TOPIC, before, "kept", expected=len(labelled))
    known = [decode_label(one.value, received_ms=one.timestamp_ms).transaction_id for one in labels]
    assert known == [one["transaction_id"] for one in labelled]
    decided = {}
    for message in messages:
        decision = carried(message, PAN_KEY)
        identity = json.loads(message.value or b"")["transaction_id"]
        assert identity not in decided, "nothing was under way, so nothing comes twice"
        decided[identity] = None if decision is None else decode_prediction(decision)
    assert len(answered) >= 20
    for answer in answered:
        record = decided[answer["transaction_id"]]
        assert record is not None
        assert (record.fraud_probability, record.decision) == (
            answer["fraud_probability"],
            answer["decision"],
        )


def test_with_keys_required_it_follows_the_key_file(
    settings: Settings, store: subprocess.Popen[bytes], models: Path, tmp_path: Path
) -> None:
    """Refused without a file, answered once there is a key, refused again when that is revoked."""
    (tmp_path / "models").symlink_to(models)
    own = {**free_ports(), "home": tmp_path, "redis_port": settings.redis_port, "api_auth": "required"}
    with serving(settings.model_copy(update=own)) as (url, log):
        assert get(f"{url}/api/v1/model").status_code == 401
        assert [get(url + path).status_code for path in ("/health", "/livez", "/metrics")] == [200] * 3
        key = bdp(tmp_path, "keys", "create", "shop", "--scope", "predict")
        headers = {"Authorization": f"Bearer {key}"}
        wait_until(lambda: get(f"{url}/api/v1/model", headers=headers).status_code == 200)
        (tmp_path / "keys.json").write_text("{")
        wait_until(lambda: "bdp_api_keys_unreadable_info 1.0" in get(f"{url}/metrics").text)
        assert get(f"{url}/api/v1/model", headers=headers).status_code == 200
        (tmp_path / "keys.json").unlink()
        bdp(tmp_path, "keys", "create", "other", "--scope", "predict")
        wait_until(lambda: get(f"{url}/api/v1/model", headers=headers).status_code == 401)
    assert "calls need a key" in log.read_text()
    assert key not in log.read_text()


def test_in_the_local_profile_it_is_open_on_loopback_only(tmp_path: Path) -> None:
    """There it is: without a model it answered 503 above."""
    settings = Settings(_env_file=None, home=tmp_path, **free_ports())  # type: ignore[call-arg, arg-type]
    with serving(settings, "0.0.0.0") as (url, _):  # noqa: S104
        assert get(f"{url}/api/v1/model").status_code == 401


def kill(url: str, settings: Settings) -> None:
    """End the service as a crash would."""
    for process in psutil.process_iter(["pid", "cmdline"]):
        if "bento.service:FraudService" in (process.info["cmdline"] or []) and str(
            settings.api_port
        ) in " ".join(process.info["cmdline"]):
            for one in (*process.children(recursive=True), process):
                one.kill()
    wait_until(lambda: not lives(url))


def bdp(home: Path, *words: str) -> str:
    """What a command says."""
    command = [sys.executable, "-m", "bdp_assets.cli.main", *words]
    environment = {**os.environ, "BDP_HOME": str(home)}
    return subprocess.run(
        command, cwd=PROJECT, env=environment, check=True, capture_output=True, text=True
    ).stdout.strip()
