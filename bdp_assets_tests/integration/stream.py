"""The scoring stream on real services, with workers as processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import polars as pl
from click.testing import Result
from pydantic import SecretStr
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.clients.kafka import (
    GroupReader,
    Message,
    Publisher,
    TransactionalPublisher,
    admin,
    committed_offsets,
    ensure_topics,
    stream_range,
    topic_ids,
    watermarks,
)
from bdp_assets.clients.redis import connect
from bdp_assets.contracts.columns import LABELS, VALIDATED
from bdp_assets.contracts.topics import DLQ, RAW, TOPICS, Topic
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.online import OnlineStore
from bdp_assets.operations.topics import specs
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings, get_settings
from bdp_assets.streaming import kill_points
from bdp_assets.streaming.groups import SCORING
from bdp_assets.streaming.items import Output
from bdp_assets.streaming.kill_points import Point
from bdp_assets.streaming.runner import Limits, Runner
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.messages import PAN_KEY
from bdp_assets_tests.integration.conftest import Platform

SMALL_BATCH = 50
PATIENCE_S = 60.0


class Stream:
    """Topics made anew, two empty databases of the online store, and a model."""

    def __init__(self, platform: Platform, home: Path) -> None:
        """`home` has the model; it is not the home of the services."""
        self.home = home
        own = {"home": home, "pan_hash_key": SecretStr(PAN_KEY.decode())}
        self.settings = self._with_store(platform.settings.model_copy(update=own), 5)
        self._fresh = self._with_store(self.settings, 6)
        self._environment = {
            **platform.environment,
            "BDP_HOME": str(home),
            "BDP_REDIS_URL": self.settings.redis,
            "BDP_PAN_HASH_KEY": PAN_KEY.decode(),
            "BDP_STREAM_BATCH_MESSAGES": str(SMALL_BATCH),
            "BDP_KILL_POINTS": str(home),
        }
        for settings in (self.settings, self._fresh):
            connect(settings).flushdb()
            _fill(OnlineStore(connect(settings)))
        self._make_topics_anew()

    @staticmethod
    def _with_store(settings: Settings, database: int) -> Settings:
        url = f"{settings.redis.rpartition('/')[0]}/{database}"
        return settings.model_copy(update={"redis_url": url, "redis_timeout_ms": 5_000})

    def _make_topics_anew(self) -> None:
        client = admin(self.settings)
        for future in client.delete_topics(list(TOPICS)).values():
            future.exception(10)
        until(lambda: not set(TOPICS) & set(client.list_topics(timeout=10).topics))
        ensure_topics(self.settings, specs())

    @property
    def store(self) -> OnlineStore:
        return OnlineStore(connect(self.settings))

    def send(self, values: Iterable[tuple[str, bytes | None]], topic: Topic = RAW) -> None:
        """Produce (customer_id, value) pairs to the raw topic, or to another."""
        publisher = Publisher(self.settings)
        for customer, value in values:
            publisher.send(topic.name, key=customer, value=value)
        publisher.flush()

    def start(self, slot: int = 0, kind: str = "scoring") -> subprocess.Popen[bytes]:
        """A worker; whoever starts one ends it."""
        command = [sys.executable, "-m", "bdp_assets.cli.main", "stream", kind, "--slot", str(slot)]
        with self._log(slot, kind).open("ab") as log:
            return subprocess.Popen(command, env=self._environment, stderr=log, stdout=log)

    def dies(self, point: Point, slot: int = 0, kind: str = "scoring") -> None:
        """Start a worker and wait until it has died at that point of its first batch."""
        kill_points.arm(self.home, f"{kind}-{slot}", point)
        worker = self.start(slot, kind)
        try:
            assert worker.wait(PATIENCE_S) == -signal.SIGKILL, self.log(slot, kind)
        finally:
            worker.kill()

    @contextmanager
    def reader(self, slot: int = 0) -> Iterator[GroupReader]:
        """A member of the workers' group. Closed also when the test fails: left open, it blocks the exit."""
        reader = GroupReader(self.settings, SCORING, [RAW.name], slot=slot)
        try:
            yield reader
        finally:
            reader.close()

    @contextmanager
    def worker(self, slot: int = 0, kind: str = "scoring") -> Iterator[subprocess.Popen[bytes]]:
        """A worker that is drained at the end, and must leave without complaint."""
        before = self._started(slot, kind)
        process = self.start(slot, kind)
        try:
            yield process
            # A signal that comes while Python still imports would kill it like any other process.
            until(lambda: self._started(slot, kind) > before or process.poll() is not None)
            process.terminate()
            assert process.wait(PATIENCE_S) == 0, self.log(slot, kind)
        finally:
            process.kill()
            process.wait()

    @contextmanager
    def scored(self) -> Iterator[None]:
        """A scoring worker in this process, for what comes after it: its own takes seconds to start."""
        publisher, stop = TransactionalPublisher(self.settings, f"{SCORING}-0"), threading.Event()
        with self.reader() as reader, ThreadPoolExecutor(1) as pool:
            limits = Limits(SMALL_BATCH, self.settings.stream_batch_ms / 1000)
            runner = Runner(reader, publisher, self._scoring(self.store), limits=limits, stop=stop)
            running = pool.submit(runner.run)
            try:
                yield
            finally:
                stop.set()
            running.result()

    def _scoring(self, store: OnlineStore) -> Scoring:
        topic_id = topic_ids(self.settings, [RAW.name])[RAW.name]
        decider = Decider.load(self.settings.models_dir / "champion")
        alerts, key = Alerts(store.client), pan_key(self.settings)
        return Scoring(store, decider, lambda: topic_id, alerts=alerts, pan_key=key)

    def bdp(self, *words: str, **environment: str) -> Result:
        """A command as an operator types it, in this process: one of its own takes seconds to start."""
        get_settings.cache_clear()
        try:
            return CliRunner().invoke(
                app, words, env={**self._environment, **environment}, catch_exceptions=False
            )
        finally:
            get_settings.cache_clear()

    def _log(self, slot: int, kind: str) -> Path:
        return self.home / f"{kind}-{slot}.log"

    def _started(self, slot: int, kind: str) -> int:
        file = self._log(slot, kind)
        return file.read_text().count(f"{kind} worker runs") if file.exists() else 0

    def log(self, slot: int = 0, kind: str = "scoring") -> str:
        return self._log(slot, kind).read_text()

    def done(self, group: str = SCORING, topic: Topic = RAW) -> int:
        """Messages whose results are committed (these topics have no transaction markers here)."""
        return sum(committed_offsets(self.settings, group, [topic.name]).values())

    def drain(self, patience_s: float = PATIENCE_S, group: str = SCORING, topic: Topic = RAW) -> None:
        """Wait until the workers have committed everything that is on the raw topic, or another."""
        total = sum(end for _, end in watermarks(self.settings, [topic.name]).values())
        until(lambda: self.done(group, topic) == total, patience_s)

    def settle(self, group: str = SCORING, topic: Topic = RAW) -> None:
        """Wait until every message has its outcome committed, also where transactions left their markers."""
        last = {m.partition: m.offset for m in self.records(topic.name)}

        def is_past_them() -> bool:
            at = committed_offsets(self.settings, group, [topic.name])
            return all(at.get((topic.name, partition), 0) > offset for partition, offset in last.items())

        until(is_past_them)

    def records(self, topic: str) -> list[Message]:
        """Committed records, in order within a partition."""
        ranges = watermarks(self.settings, [topic])
        batches = list(stream_range(self.settings, ranges))
        return sorted((m for batch in batches for m in batch), key=lambda m: (m.partition, m.offset))

    def published(self) -> list[Output]:
        """What the workers published: topic by topic, partition by partition; dead letters sorted."""
        names = [name for name in TOPICS if name != RAW.name]
        return _dead_sorted([_output(m) for name in names for m in self.records(name)])

    def undisturbed(self) -> list[Output]:
        """What one worker that nothing disturbs makes of the raw topic, in the order of `published`."""
        scoring = self._scoring(OnlineStore(connect(self._fresh)))
        # A customer has the same partition on every topic, so the order within a partition is the raw one.
        outputs = scoring(self.records(RAW.name))
        return _dead_sorted([output for name in TOPICS for output in outputs if output.topic == name])


def _fill(store: OnlineStore) -> None:
    """As a rebuild does whose lake has no rows yet."""
    store.rebuild(pl.DataFrame(schema=VALIDATED), pl.DataFrame(schema=LABELS))


def _output(message: Message) -> Output:
    return Output(message.topic, (message.key or b"").decode(), message.value or b"", message.headers)


def _dead_sorted(outputs: list[Output]) -> list[Output]:
    """Dead letters share a partition whatever partition they came from, so their order is not a promise."""
    dead = sorted(output for output in outputs if output.topic == DLQ.name)
    return [output for output in outputs if output.topic != DLQ.name] + dead


def until(condition, patience_s: float = PATIENCE_S) -> None:  # type: ignore[no-untyped-def]
    """Wait for a condition; the time-out only ends a test that hangs."""
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.05)


def kill(process: subprocess.Popen[bytes]) -> None:
    """kill -9."""
    os.kill(process.pid, 9)
    process.wait()
