"""Each part that the API leans on, really stopped, and what a caller sees meanwhile: docs/api.md's table.

One API, a store of its own that is killed, and the test run's own Kafka and PostgreSQL, which start again.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bdp_assets.clients import kafka
from bdp_assets.contracts.topics import LABELS, RAW
from bdp_assets.operations.decision_records.finding import DecisionUnknown, Wanted, find
from bdp_assets.runtime import health, valkey
from bdp_assets.runtime import platform as runtime
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform, free_ports
from bdp_assets_tests.integration.running_api import (
    RunningApi,
    fill,
    get,
    post,
    raw_messages,
    serving,
    transaction,
    wait_until,
)

pytestmark = [pytest.mark.services, pytest.mark.drill]
SPOOL_MB = 16
NUMBERS = count()


class Store:
    """A Valkey that may be killed; what it wrote stays until it is wiped."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.process: subprocess.Popen[bytes]

    def start(self) -> None:
        valkey.prepare(self.settings, lambda _: None)
        with (self.settings.home / "valkey.log").open("ab") as log:
            self.process = subprocess.Popen(valkey.command(self.settings), stdout=log, stderr=log)
        wait_until(lambda: valkey.healthy(self.settings))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def wipe(self) -> None:
        shutil.rmtree(self.settings.home / "redis")


@pytest.fixture(scope="module")
def settings(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A champion on disk, and an MLflow that does not run."""
    own = {
        **free_ports(),
        "postgres_port": platform.settings.postgres_port,
        "kafka_bootstrap": platform.kafka,
        "home": tmp_path_factory.mktemp("degraded"),
        "api_auth": "open",
        "spool_mb": SPOOL_MB,
    }
    settings = Settings(_env_file=None, **own)  # type: ignore[call-arg, arg-type]
    kafka.ensure_topics(settings, [kafka.TopicSpec(one.name, one.partitions) for one in (RAW, LABELS)])
    settings.models_dir.mkdir()
    (settings.models_dir / "champion").symlink_to(tiny_bundle(settings.models_dir / "1"))
    return settings


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[Store]:
    store = Store(settings)
    store.start()
    try:
        fill(settings)
        yield store
    finally:
        store.kill()


@pytest.fixture(scope="module")
def api(settings: Settings, store: Store) -> Iterator[RunningApi]:
    with serving(settings) as (url, log):
        yield RunningApi(settings, url, log, store.process)


def test_mlflow_away_at_start_the_last_good_model_serves_from_disk(api: RunningApi) -> None:
    assert not health.http_ok(api.settings.mlflow_port, "/health")
    assert api.dependencies() == {"model": "ok", "online_store": "ok", "kafka": "ok", "spool": "ok"}
    assert api.predict("mlflow-away").json()["degraded"] is False
    assert [figure(api, "bdp_api_dependency_up_info", dependency=name) for name in api.dependencies()] == [
        1
    ] * 4


def test_postgres_stopped_the_api_answers_as_ever_and_what_asks_it_says_so(
    api: RunningApi, platform: Platform
) -> None:
    runtime.down(platform.settings, ["postgres"])
    try:
        answer = api.predict("no-postgres")
        assert (answer.status_code, answer.json()["degraded"]) == (200, False)
        assert api.label("no-postgres", "no-postgres").status_code == 202
        assert api.decision("no-postgres", "no-postgres").status_code == 200
        assert find(api.settings, Wanted("no-postgres", "no-postgres")).where == "online store"
        with pytest.raises(DecisionUnknown, match="PostgreSQL"):
            find(api.settings, Wanted("long-ago", "long-ago"))
    finally:
        runtime.up(platform.settings, ["postgres"])


def test_redis_killed_it_decides_without_history_until_the_store_is_back(
    api: RunningApi, store: Store
) -> None:
    known = api.predict("before-the-kill").json()
    counted = figure(api, "bdp_api_degraded_total")
    store.kill()
    assert api.predict("store-away").json()["degraded"] is True
    assert api.label("store-away", "store-away").status_code == 202
    refused = api.decision("before-the-kill", "before-the-kill")
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "store_unavailable")
    assert api.dependencies()["online_store"] == "down"
    wait_until(lambda: figure(api, "bdp_api_dependency_up_info", dependency="online_store") == 0)
    assert figure(api, "bdp_api_degraded_total") == counted + 1
    store.start()
    wait_until(lambda: api.dependencies()["online_store"] == "ok")
    again = api.predict("before-the-kill").json()
    assert again | {"request_id": ""} == known | {"request_id": ""}


def test_redis_restarted_empty_is_not_taken_for_history(api: RunningApi, store: Store) -> None:
    store.kill()
    store.wipe()
    store.start()
    wait_until(lambda: api.dependencies()["online_store"] == "empty")
    assert api.predict("emptied").json()["degraded"] is True
    fill(api.settings)
    wait_until(lambda: api.dependencies()["online_store"] == "ok")
    assert api.predict("filled-again").json()["degraded"] is False


def test_kafka_stopped_the_spool_grows_to_its_bound_and_drains_in_order(
    api: RunningApi, platform: Platform
) -> None:
    waits = "bdp_api_spool_waiting_messages"
    before = kafka.watermarks(api.settings, [RAW.name])
    runtime.down(platform.settings, ["kafka"])
    try:
        wait_until(lambda: api.dependencies()["kafka"] == "down")
        names = [f"away-{number}" for number in range(20)]
        answers = [api.predict(name, customer_id="away").json() for name in names]
        assert [answer["degraded"] for answer in answers] == [False] * len(names)
        taken, refused = fill_spool(api)
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "queue_full")
        wait_until(lambda: figure(api, waits) >= len(names) + taken)
        assert 0 < figure(api, "bdp_api_spool_bytes") <= SPOOL_MB * 2**20
        assert figure(api, "bdp_api_dependency_up_info", dependency="kafka") == 0
    finally:
        runtime.up(platform.settings, ["kafka"])
    wait_until(lambda: figure(api, waits) == 0)
    sent = raw_messages(api.settings, before, "away", expected=len(names))
    assert [json.loads(message.value or b"")["transaction_id"] for message in sent] == names
    assert figure(api, "bdp_api_undelivered_messages_total") == 0
    assert fill_spool(api, batches=1)[1].status_code == 200, "there is room again"


def test_a_corrupt_model_is_refused(settings: Settings, tmp_path: Path) -> None:
    bundle = shutil.copytree(settings.models_dir / "1", tmp_path / "models" / "champion")
    graph = next(bundle.glob("*.onnx"))
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    alone = Settings(_env_file=None, home=tmp_path, **free_ports())  # type: ignore[call-arg, arg-type]
    with serving(alone) as (url, log):
        refused = post(f"{url}/api/v1/predict", json=transaction("corrupt"))
        assert (refused.status_code, refused.json()["error"]["code"]) == (503, "model_unavailable")
        state = get(f"{url}/health")
        assert (state.status_code, state.json()["dependencies"]["model"]) == (503, "missing")
        assert 'bdp_api_dependency_up_info{dependency="model"} 0.0' in get(f"{url}/metrics").text
    assert f"{graph.name} is corrupt" in log.read_text()


def fill_spool(api: RunningApi, batches: int = 20) -> tuple[int, httpx.Response]:
    """Send batches until one is refused; how many transactions were taken, and the last answer."""
    taken = 0
    for _ in range(batches):
        batch = [transaction(f"crowd-{next(NUMBERS)}") for _ in range(1_000)]
        answer = post(f"{api.url}/api/v1/predict/batch", json=batch, timeout=30)
        if answer.status_code != 200:
            break
        taken += len(batch)
    return taken, answer


def figure(api: RunningApi, name: str, **labels: str) -> float:
    """One figure of /metrics; 0 where nothing was counted yet."""
    families = text_string_to_metric_families(get(f"{api.url}/metrics").text)
    samples = [sample for family in families for sample in family.samples]
    found = [one.value for one in samples if one.name == name and labels.items() <= one.labels.items()]
    return sum(found)
