"""Bad days of the local platform: everything killed, one program killed, a port taken."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg
import pytest
import redis
from confluent_kafka import Consumer, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, NewTopic

from bdp_assets.operations.doctor import examine
from bdp_assets.operations.start import STEPS
from bdp_assets.runtime import orphans, services, valkey
from bdp_assets.runtime import platform as runtime
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.status import rows
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.conftest import Platform, make_settings

pytestmark = pytest.mark.services

SERVICES = ["postgres", "redis", "kafka"]


@pytest.fixture(scope="module")
def running(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """A second platform beside the run's own; its folder is closed to other users and has an awkward name."""
    settings = make_settings(tmp_path_factory.mktemp("100% own home"))
    try:
        runtime.up(settings, SERVICES)
        yield settings
    finally:
        runtime.down(settings)


def test_what_was_written_survives_kill_9_of_everything(running: Settings) -> None:
    write(running)
    killed = orphans.find(running.home)
    assert {process.pid for process in killed} >= {row.pid for row in rows(running) if row.name in SERVICES}
    for process in killed:
        process.kill()
    psutil.wait_procs(killed, timeout=10)
    leave_stale_pid(running.home / "postgres" / "data" / "postmaster.pid")

    runtime.up(running, SERVICES)
    assert read(running) == ["in PostgreSQL", "in Valkey", "in Kafka"]


def test_the_supervisor_alone_killed_leaves_no_second_server(running: Settings) -> None:
    before = {row.name: row.pid for row in rows(running)}
    supervisor = psutil.Process(int((running.home / "run" / "supervisord.pid").read_text()))
    supervisor.kill()
    supervisor.wait(timeout=10)

    runtime.up(running, SERVICES)
    after = {row.name: row.pid for row in rows(running)}
    for name in SERVICES:
        assert after[name] != before[name]
        assert not psutil.pid_exists(before[name] or 0)


def test_a_killed_program_comes_back_by_itself(running: Settings) -> None:
    supervisor = Supervisor(running.home)
    old = supervisor.state("redis").pid
    psutil.Process(old).kill()
    wait_until(lambda: supervisor.state("redis").pid not in (0, old))
    wait_until(lambda: services.find("redis").healthy(running))


def test_the_store_runs_with_its_own_environment(running: Settings) -> None:
    process = psutil.Process(Supervisor(running.home).state("redis").pid)
    assert valkey.environment(running).items() <= process.environ().items()


def test_a_second_up_changes_nothing(running: Settings) -> None:
    before = [row.pid for row in rows(running)]
    seen: list[tuple[str, str]] = []
    runtime.up(running, SERVICES, report=lambda name, stage, _detail: seen.append((name, stage)))
    assert sorted(seen) == [("kafka", "running"), ("postgres", "running"), ("redis", "running")]
    assert [row.pid for row in rows(running)] == before


def test_the_doctor_sees_what_is_missing_and_then_that_it_is_there(running: Settings) -> None:
    before = {finding.name: finding for finding in examine(running)}
    for name in ("postgres", "redis", "kafka"):
        assert before[name].status == "ok"
        assert (before[name].latency_ms or 0) > 0
    assert (before["topics"].status, before["migrations"].status) == ("fail", "fail")
    assert before["mlflow"].status == "fail"
    assert "bdp up mlflow" in before["mlflow"].do
    assert "champion" not in before, "MLflow does not run: there is nothing to ask"
    for step in STEPS:
        step.run(running)
    after = {finding.name: finding.status for finding in examine(running)}
    assert (after["topics"], after["migrations"]) == ("ok", "ok")


def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    settings = make_settings(tmp_path / "home")
    taken = socket.create_server(("127.0.0.1", settings.redis_port))
    with (
        taken,
        pytest.raises(Problem, match=f"{settings.redis_port} is taken by .*pid {os.getpid()}") as told,
    ):
        runtime.up(settings, SERVICES)
    assert "BDP_REDIS_PORT" in told.value.do
    assert not Supervisor(settings.home).alive()
    assert orphans.find(settings.home) == []


def test_a_program_that_does_not_start_shows_its_own_words(running: Settings) -> None:
    """A damaged log folder of a Valkey of its own: the reader sees what Valkey says of it."""
    settings = make_settings(running.home.parent / "damaged")
    runtime.up(settings, ["redis"])
    try:
        runtime.down(settings)
        manifest = next((settings.home / "redis" / "appendonlydir").glob("*.manifest"))
        manifest.write_text("rubbish\n")
        with pytest.raises(Problem, match="manifest") as told:
            runtime.up(settings, ["redis"])
        assert "bdp logs redis" in told.value.do
    finally:
        runtime.down(settings)


def write(settings: Settings) -> None:
    with psycopg.connect(settings.postgres()) as connection:
        connection.execute("create table kept (what text)")
        connection.execute("insert into kept values ('in PostgreSQL')")
    redis.Redis.from_url(settings.redis).set("kept", "in Valkey")
    admin = AdminClient({"bootstrap.servers": settings.kafka})
    admin.create_topics([NewTopic("kept", 1, 1)])["kept"].result(30)
    producer = Producer({"bootstrap.servers": settings.kafka, "acks": "all"})
    producer.produce("kept", "in Kafka")
    assert producer.flush(30) == 0


def read(settings: Settings) -> list[str]:
    with psycopg.connect(settings.postgres()) as connection:
        row = connection.execute("select what from kept").fetchone()
    value = redis.Redis.from_url(settings.redis, decode_responses=True).get("kept")
    consumer = Consumer({"bootstrap.servers": settings.kafka, "group.id": "reader"})
    consumer.assign([TopicPartition("kept", 0, 0)])
    message = consumer.poll(30)
    consumer.close()
    assert row is not None
    assert message is not None
    return [row[0], str(value), (message.value() or b"").decode()]


def leave_stale_pid(file: Path) -> None:
    """As after a reboot: the number in the file is now somebody else's."""
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join([f"{os.getpid()}\n", *lines[1:]]))


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)
