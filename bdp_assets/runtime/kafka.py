"""Embedded broker: Apache Kafka, one node in KRaft mode, on loopback, durable in BDP_HOME/kafka."""

from __future__ import annotations

import base64
import shutil
import struct
import subprocess
import sys
import uuid
from collections.abc import Mapping
from itertools import count
from pathlib import Path

from bdp_assets.runtime import health, jars, java, kafka_start
from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings

# ApiVersions v0, correlation 1, client "bdp": the one request that every broker answers once it serves.
_API_VERSIONS = struct.pack(">hhih3s", 18, 0, 1, 3, b"bdp")

_JVM = (
    # The quick compiler only. The thorough one takes both cores of a laptop for the first minutes of traffic.
    "-XX:TieredStopAtLevel=1",
    "-XX:+UseG1GC",
    "-XX:MaxGCPauseMillis=20",
    "-XX:+ExitOnOutOfMemoryError",
    "-XX:-UsePerfData",
    "-Djava.awt.headless=true",
)


def folder(settings: Settings) -> Path:
    return settings.home / "kafka"


def prepare(settings: Settings, say: Say) -> None:
    """Jars, configuration with the present ports, at first start the formatted log folder. Raises Problem."""
    java.require_java(settings, say)
    jars.fetch(settings, say)
    shutil.rmtree(folder(settings) / "tmp", ignore_errors=True)
    (folder(settings) / "tmp").mkdir(parents=True)
    _properties(settings).write_text(render(settings))
    _properties(settings).with_name(kafka_start.CONTROLLER).write_text(render_controller(settings))
    if not (folder(settings) / "data" / "meta.properties").exists():
        _format(settings)


def command(settings: Settings) -> list[str]:
    heap = settings.kafka_heap_mb
    memory = (
        f"-Xmx{heap}m",
        f"-Xms{heap // 2}m",
        "-XX:MaxMetaspaceSize=128m",
        "-XX:ReservedCodeCacheSize=96m",
    )
    start = [sys.executable, "-m", kafka_start.__name__]
    return [*start, *_java(settings, *memory, *_JVM), "kafka.Kafka", str(_properties(settings))]


def healthy(settings: Settings) -> bool:
    answer = health.exchange(settings.kafka_port, struct.pack(">i", len(_API_VERSIONS)) + _API_VERSIONS)
    return answer[4:8] == struct.pack(">i", 1)


def render(settings: Settings) -> str:
    """The text of server.properties."""
    broker, controller = f"{LOOPBACK}:{settings.kafka_port}", f"{LOOPBACK}:{settings.kafka_controller_port}"
    options = {
        "process.roles": "broker,controller",
        "node.id": 1,
        "controller.quorum.voters": f"1@{controller}",
        "controller.listener.names": "CONTROLLER",
        "listeners": f"PLAINTEXT://{broker},CONTROLLER://{controller}",
        "advertised.listeners": f"PLAINTEXT://{broker}",
        "log.dirs": folder(settings) / "data",
        "auto.create.topics.enable": "false",
        # Else the controller fences it first, while it goes on committing: see `kafka_start`.
        "controlled.shutdown.enable": "false",
        "default.replication.factor": 1,
        "offsets.topic.replication.factor": 1,
        "offsets.topic.num.partitions": 4,
        "transaction.state.log.replication.factor": 1,
        "transaction.state.log.min.isr": 1,
        "transaction.state.log.num.partitions": 4,
        # How soon it sees that the transaction of a worker that hangs is over its time (default 10 s).
        "transaction.abort.timed.out.transaction.cleanup.interval.ms": 1000,
        "share.coordinator.state.topic.replication.factor": 1,
        "share.coordinator.state.topic.min.isr": 1,
        "share.coordinator.state.topic.num.partitions": 1,
        # One node: nobody else's consumers to wait for.
        "group.initial.rebalance.delay.ms": 0,
        "num.network.threads": 2,
        "num.io.threads": 4,
        "num.recovery.threads.per.data.dir": 2,
        # The cleaner takes 128 MB of the heap by default.
        "log.cleaner.dedupe.buffer.size": 16 * 1024**2,
    }
    return _rendered(options)


def render_controller(settings: Settings) -> str:
    """The text of `kafka_start.CONTROLLER`."""
    controller = f"{LOOPBACK}:{settings.kafka_controller_port}"
    return _rendered(
        {
            "process.roles": "controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "listeners": f"CONTROLLER://{controller}",
            "log.dirs": folder(settings) / "data",
            "broker.session.timeout.ms": 500,
        }
    )


def _rendered(options: Mapping[str, object]) -> str:
    return "".join(f"{name}={value}\n" for name, value in options.items())


def _format(settings: Settings) -> None:
    """Give the log folder its cluster id; what a killed attempt left is made anew."""
    shutil.rmtree(folder(settings) / "data", ignore_errors=True)
    arguments = ["kafka.tools.StorageTool", "format", "-t", _cluster_id(), "-c", str(_properties(settings))]
    done = subprocess.run(
        [*_java(settings, "-XX:TieredStopAtLevel=1"), *arguments], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Problem(
            f"Kafka could not format its log folder:\n{(done.stderr or done.stdout).strip()[-2000:]}",
            f"Make sure that {folder(settings)} can be written, then try again.",
        )


def _cluster_id() -> str:
    """A random one that no command line takes for an option: one in 64 would begin with a hyphen."""
    ids = (base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=") for _ in count())
    return next(one for one in ids if not one.startswith("-"))


def _properties(settings: Settings) -> Path:
    return folder(settings) / "server.properties"


def _java(settings: Settings, *options: str) -> list[str]:
    found = java.find_java()
    if found is None:
        raise Problem(f"Java {java.OLDEST} or newer is not here.", "Run `bdp setup`.")
    logging = f"-Dlog4j2.configurationFile={jars.KAFKA / 'log4j2.properties'}"
    # Its native libraries unpack here; /tmp may forbid execution.
    temporary = f"-Djava.io.tmpdir={folder(settings) / 'tmp'}"
    return [found, *options, logging, temporary, "-cp", f"{jars.LIBS}/*"]
