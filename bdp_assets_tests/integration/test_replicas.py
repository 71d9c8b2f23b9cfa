"""Two replicas behind haproxy under load: one killed, the model swapped, then both restarted in turn."""

from __future__ import annotations

import json
import os
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import httpx
import psutil
import pytest

from bdp_assets.contracts.codec import decode_prediction
from bdp_assets.contracts.records import Prediction
from bdp_assets.contracts.topics import PREDICTIONS, RAW
from bdp_assets.operations import start
from bdp_assets.operations.ledger import balance, read_entries, read_ledger
from bdp_assets.operations.load import run as open_load
from bdp_assets.operations.load.run import Watch
from bdp_assets.operations.traffic_api import CLIENTS, ApiCaller
from bdp_assets.operations.traffic_journal import Answer, Outgoing, lines
from bdp_assets.operations.verify.promises import kept, read_promises
from bdp_assets.runtime import haproxy, orphans, ports
from bdp_assets.runtime import home as homes
from bdp_assets.runtime import platform as runtime
from bdp_assets.scoring.bundle import REGISTRATION
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.simulator.world import World
from bdp_assets_tests.fakes.messages import body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import Stream, until

pytestmark = [pytest.mark.services, pytest.mark.drill]
CUSTOMERS = 40
CONNECTIONS = 16
EVERY_S = 0.02
"""Between two calls: some 50 a second."""
OLD, NEW = "1", "2"
TRACE = "00-" + "1" * 32 + "-" + "1" * 16 + "-01"


@pytest.fixture
def stream(platform: Platform, tmp_path: Path) -> Stream:
    if haproxy.binary() is None:
        assert os.environ.get("CI") != "true", ".ci/run installs haproxy"
        pytest.skip("haproxy is not installed")
    homes.prepare(tmp_path)
    for version in (OLD, NEW):
        folder = tiny_bundle(tmp_path / "models" / version, seed=int(version))
        (folder / REGISTRATION).write_text(f'{{"name":"fraud_ensemble","version":"{version}"}}')
    LocalBundles(tmp_path / "models").activate(OLD)
    return Stream(platform, tmp_path)


@pytest.fixture
def settings(stream: Stream, platform: Platform) -> Iterator[Settings]:
    """Two replicas that run under a supervisor of their own, on the broker and store of the stream."""
    own = {
        **ports.choose_free(["api_port", "api_replica_port"]),
        "kafka_bootstrap": platform.kafka,
        "api_auth": "open",
        "api_replicas": 2,
        "champion_poll_ms": 200,
    }
    settings = stream.settings.model_copy(update=own)
    try:
        start.up(settings, ["api"])
        yield settings
    finally:
        runtime.down(settings)


@dataclass
class Load:
    """Calls at a steady pace, and what became of each."""

    settings: Settings
    sent: dict[str, Outgoing] = field(default_factory=dict)
    answers: dict[str, Answer] = field(default_factory=dict)

    def call(self, records: list[Outgoing]) -> None:
        """Each once, and wait for the answers."""
        with ApiCaller(self.settings, self._answered) as caller:
            for record in records:
                caller.send(record, TRACE)

    @contextmanager
    def flowing(self) -> Iterator[None]:
        over = threading.Event()
        thread = threading.Thread(target=self._flow, args=(over,))
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def unanswered(self) -> set[str]:
        return self.sent.keys() - self.answers.keys()

    def failed(self) -> set[str]:
        return {name for name, answer in self.answers.copy().items() if answer.status != 200}

    def goes_on(self, calls: int = 50) -> None:
        """Wait until so many more were answered."""
        enough = len(self.answers) + calls
        until(lambda: len(self.answers) >= enough)

    def _flow(self, over: threading.Event) -> None:
        with ApiCaller(self.settings, self._answered) as caller:
            while not over.wait(EVERY_S):
                number = len(self.sent)
                name, customer = f"t-{number}", f"c-{number % CUSTOMERS}"
                value = body(name, customer, amount=number % 900 + 1)
                self.sent[name] = Outgoing(name, customer, value, kind="normal")
                caller.send(self.sent[name], TRACE)

    def _answered(self, record: Outgoing, _sent_ms: int, answer: Answer) -> None:
        self.answers[record.transaction_id] = answer


def test_no_call_fails_and_every_transaction_is_decided_once(stream: Stream, settings: Settings) -> None:
    load = Load(settings)
    with stream.worker():
        with load.flowing():
            load.goes_on()
            under_way = kill_in_mid_call(settings, "api-1", load)
            load.goes_on()
            lost = load.failed()
            LocalBundles(settings.models_dir).activate(NEW)
            until(lambda: serves_with(settings.api_replica_ports[1]) == NEW)
            load.goes_on()
            start.restart(settings, "api")
            load.goes_on()
        assert [serves_with(port) for port in settings.api_replica_ports] == [NEW, NEW]

        assert lost <= under_way, "only what was under way on the one that was killed"
        assert len(lost) <= CLIENTS
        assert load.failed() == lost, "and nothing since: not by the swap, not by the restarts"
        load.call([load.sent[name] for name in lost])
        assert load.answers.keys() == load.sent.keys()
        assert {(answer.status, answer.degraded) for answer in load.answers.values()} == {(200, False)}

        until(lambda: {transaction_id(m.value) for m in stream.records(RAW.name)} == load.sent.keys())
        stream.send([("by-kafka", body("by-kafka", "by-kafka"))])
        stream.settle()
    published = [decode_prediction(m.value or b"") for m in stream.records(PREDICTIONS.name)]
    assert_each_is_decided_once(stream, load, published)


def test_bdp_load_sees_no_more_than_what_a_kill_cuts_off(stream: Stream, settings: Settings) -> None:
    """One replica killed under load, the model swapped, both restarted in turn: then the ledger is clean."""
    World(seed=5, customers=60, merchants=50).history(date(2026, 3, 1), 1).write(settings.home / "history")
    watch, load = Watch(), open_load.Load(rate=30.0, seconds=600.0, connections=CONNECTIONS)

    def goes_on(calls: int = 60) -> None:
        enough = answered(settings) + calls
        until(lambda: answered(settings) >= enough or loading.done())

    with stream.worker(), ThreadPoolExecutor(1) as pool:
        loading = pool.submit(open_load.run, settings, load, watch)
        try:
            goes_on()
            kill(settings, "api-1")
            until(lambda: serves_with(settings.api_replica_ports[0]) == OLD)
            goes_on()
            LocalBundles(settings.models_dir).activate(NEW)
            until(lambda: [serves_with(port) for port in settings.api_replica_ports] == [NEW, NEW])
            start.restart(settings, "api")
            goes_on()
        finally:
            watch.stop.set()
        tally = loading.result(timeout=60)
        until(lambda: {transaction_id(m.value) for m in stream.records(RAW.name)} >= told(settings))
        stream.send([("by-kafka", body("by-kafka", "by-kafka"))])
        stream.settle()
    outcomes = tally.total().outcomes
    assert tally.total().calls - outcomes["200"] <= CONNECTIONS, "only what was under way at the kill"
    assert outcomes["200"] == answered(settings) >= 180
    assert {decode_prediction(m.value or b"").model_version for m in stream.records(PREDICTIONS.name)} == {
        OLD,
        NEW,
    }
    entries = read_entries(settings)
    assert balance(entries).balanced
    assert all(equation.holds for equation in kept(read_promises(lines(settings.home)), entries))


def answered(settings: Settings) -> int:
    """Calls of the journals that have a decision."""
    return len(told(settings))


def told(settings: Settings) -> set[str]:
    """Their transactions."""
    return {line.transaction_id for line in lines(settings.home) if line.decision is not None}


def assert_each_is_decided_once(stream: Stream, load: Load, published: list[Prediction]) -> None:
    """On the topic and in the store, as it was answered; by one model before the swap, by another after."""
    assert Counter(one.transaction_id for one in published) == dict.fromkeys([*load.sent, "by-kafka"], 1)
    decided = {one.transaction_id: one for one in published}
    for name, answer in load.answers.items():
        assert decided[name].decision == answer.decision
        kept = stream.store.decision(decided[name].customer_id, name)
        assert decode_prediction(kept or b"") == decided[name]
    assert decided["by-kafka"].model_version == NEW, "the worker took it, too"
    assert {one.model_version for one in published} == {OLD, NEW}
    assert read_ledger(stream.settings).balanced


def kill_in_mid_call(settings: Settings, program: str, load: Load) -> set[str]:
    """kill -9 of a program with its children, frozen first, so that calls hang in it.

    Returns the transactions that may have been under way.
    """
    root = orphans.roots(settings.home)[program]
    family = (*orphans.descendants(root), root)
    for process in family:
        process.suspend()
    load.goes_on(20)
    early = load.unanswered()
    load.goes_on(20)
    assert early & load.unanswered(), "some call waits for it"
    answered = set(load.answers)
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)
    return load.sent.keys() - answered


def kill(settings: Settings, program: str) -> None:
    """kill -9 of a program with its children."""
    root = orphans.roots(settings.home)[program]
    family = (*orphans.descendants(root), root)
    for process in family:
        process.kill()
    psutil.wait_procs(family, timeout=10)


def serves_with(port: int) -> str | None:
    """Version of the model that the replica at that port decides with; None while it does not answer."""
    try:
        answer = httpx.get(f"http://127.0.0.1:{port}/health")
    except httpx.TransportError:
        return None
    version: str = answer.json()["model"]["version"]
    return version


def transaction_id(value: bytes | None) -> str:
    name: str = json.loads(value or b"")["transaction_id"]
    return name
