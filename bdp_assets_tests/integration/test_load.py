"""`bdp load` on a small real server that does as a test says; and on real workers, by the topic."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from itertools import islice
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bdp_assets.cli.main import app
from bdp_assets.operations.load import run as runs
from bdp_assets.operations.load import to_api, to_topic
from bdp_assets.operations.load.choices import Door, Profile
from bdp_assets.operations.load.run import Load, Watch, run
from bdp_assets.operations.load.slo import Objective
from bdp_assets.operations.load.tally import Tally
from bdp_assets.operations.load.verdict import holds, judge
from bdp_assets.operations.traffic_journal import lines
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings, get_settings, variables
from bdp_assets.simulator.world import World
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import Stream

RATE = 200.0
FINE = b'{"decision":"APPROVE","degraded":false}'
EASY = (Objective("api_availability", allowed=0.0), Objective("api_latency", allowed=0.0, within_s=4.5))
"""Any machine holds them, however busy it is, unless a call is lost."""


def answer(status: int, body: bytes = b"", *more: bytes) -> bytes:
    lines = (b"HTTP/1.1 %d Said" % status, b"Content-Length: %d" % len(body), *more)
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@dataclass
class Server:
    """Answers request number n (from 0) as `says`: bytes, None to hang up, or a time (s) to sleep before."""

    says: Callable[[int], bytes | float | None]
    asked: int = 0
    port: int = 0
    bodies: list[bytes] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                length = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
                self.bodies.append(await reader.readexactly(length))
                said = self.says(self.asked)
                self.asked += 1
                if isinstance(said, float):
                    time.sleep(said)  # All connections wait: the server has one thread.
                    said = answer(200, FINE)
                if said is None:
                    break
                # In two pieces, as it may come over a network.
                writer.write(said[:20])
                await writer.drain()
                writer.write(said[20:])
                if b"Content-Length" not in said:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@contextmanager
def serving(says: Callable[[int], bytes | float | None]) -> Iterator[Server]:
    server, started, over = Server(says), threading.Event(), threading.Event()

    async def live() -> None:
        listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
        server.port = listening.sockets[0].getsockname()[1]
        started.set()
        await asyncio.to_thread(over.wait)

    thread = threading.Thread(target=lambda: asyncio.run(live()), daemon=True)
    thread.start()
    assert started.wait(30)
    try:
        yield server
    finally:
        over.set()
        thread.join()


def write_history(home: Path) -> None:
    World(seed=5, customers=60, merchants=50).history(date(2026, 3, 1), 1).write(home / "history")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("load")
    write_history(made)
    return made


@pytest.fixture
def settings(home: Path) -> Settings:
    return Settings(_env_file=None, home=home)  # type: ignore[call-arg]


@pytest.fixture
def easy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "OBJECTIVES", dict.fromkeys(runs.OBJECTIVES, EASY))


def loaded(settings: Settings, server: Server, seconds: float = 1.0, connections: int = 4) -> Tally:
    url = f"http://127.0.0.1:{server.port}"
    return run(settings, Load(RATE, seconds, url=url, connections=connections), Watch())


@pytest.mark.usefixtures("easy")
def test_a_server_that_answers_passes_and_has_had_every_record_once(settings: Settings) -> None:
    with serving(lambda _: answer(200, FINE)) as server:
        tally = loaded(settings, server)
    assert holds(tally)
    assert tally.total().outcomes == {"200": RATE}
    ids = [json.loads(body)["transaction_id"] for body in server.bodies]
    assert len(set(ids)) == len(ids) == RATE
    assert not (settings.home / "run").exists(), "nothing of ours has them, so that no journal says so"


def test_a_stall_counts_for_every_call_that_was_due_in_it(settings: Settings) -> None:
    """Four clients that wait for their answers would have seen four slow calls, 2% of these."""
    with serving(lambda n: 1.0 if n == 20 else answer(200, FINE)) as server:
        tally = loaded(settings, server)
    latency = next(one for one in judge(tally) if one.objective.name == "api_latency")
    assert not latency.holds
    least = round(0.9 * (RATE - 20))
    """Due in the first 0.9 s or so after the stall began: they waited longer than 50 ms, on any machine."""
    assert latency.bad >= least
    assert tally.total().outcomes == {"200": RATE}, "though all were answered"
    assert tally.total().latency.percentile(50) > 0.3
    assert tally.total().sent_late.count == RATE


@pytest.mark.usefixtures("easy")
def test_what_servers_do_is_counted_by_what_it_is(settings: Settings) -> None:
    said: dict[int, bytes | None] = {
        0: answer(503),
        1: answer(429, b"{}", b"Connection: close"),
        2: None,
        3: b"HTTP/1.0 502 Bad Gateway\r\nConnection: close\r\n\r\n<html>",
        4: answer(200, b"not json"),
        5: answer(200, b'{"decision":"REVIEW","degraded":true}'),
    }
    with serving(lambda n: said.get(n % 10, answer(200, FINE))) as server:
        tally = loaded(settings, server)
    tenth = RATE / 10
    names = {"503", "429", "no answer", "502", "200 unreadable", "200 degraded"}
    assert tally.total().outcomes == {**dict.fromkeys(names, tenth), "200": 4 * tenth}
    judged = {one.objective.name: one.bad for one in judge(tally)}
    assert judged == {"api_availability": 3 * tenth, "api_latency": 5 * tenth}


@pytest.mark.usefixtures("easy")
def test_a_server_that_never_answers_is_given_up(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(to_api, "PATIENCE_S", 0.5)
    with serving(lambda n: 2.0 if n == 5 else answer(200, FINE)) as server:
        tally = loaded(settings, server, seconds=0.3, connections=2)
    outcomes = tally.total().outcomes
    assert outcomes["200"] <= 5
    assert outcomes["no answer"] > 0
    assert tally.total().calls == round(0.3 * RATE), "those that could not be sent count, too"
    assert outcomes["not sent"] == tally.total().calls - outcomes["200"] - outcomes["no answer"]


def test_stopped_early_it_counts_what_was_due(settings: Settings) -> None:
    watch = Watch()

    def says(number: int) -> bytes:
        if number == 40:
            watch.stop.set()
        return answer(200, FINE)

    with serving(says) as server:
        url = f"http://127.0.0.1:{server.port}"
        tally = run(settings, Load(RATE, 600.0, url=url), watch)
    assert 40 < tally.total().calls < 600 * RATE / 10
    assert tally.total().outcomes == {"200": server.asked}
    assert tally.elapsed_s < tally.schedule.seconds


@pytest.mark.usefixtures("easy")
def test_a_source_that_ends_too_early_does_not_pass(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    all_of_them = runs.from_settings
    monkeypatch.setattr(runs, "from_settings", lambda *a, **more: islice(all_of_them(*a, **more), 7))
    with serving(lambda _: answer(200, FINE)) as server:
        url = f"http://127.0.0.1:{server.port}"
        tally = run(settings, Load(RATE, 1.0, Profile.SPIKE, url=url), Watch())
    assert tally.total().outcomes == {"200": 7}
    assert {one.phase for one in judge(tally) if not one.holds} == {"spike", "after"}


def test_nobody_there_is_told(settings: Settings) -> None:
    with pytest.raises(Problem, match="bdp up"):
        run(settings, Load(RATE, 1.0, url="http://127.0.0.1:1"), Watch())


@pytest.mark.parametrize(("stall", "code"), [(False, 0), (True, 1)])
def test_the_exit_code_is_the_verdict(
    home: Path, monkeypatch: pytest.MonkeyPatch, easy: None, stall: bool, code: int
) -> None:
    monkeypatch.chdir(home)
    for variable in variables():
        monkeypatch.delenv(variable.name, raising=False)
    monkeypatch.setenv("BDP_HOME", str(home))
    get_settings.cache_clear()
    with serving(lambda n: None if stall and n == 7 else answer(200, FINE)) as server:
        options = ["--rate", "100", "--duration", "0.4", "--profile", "spike", "--json"]
        done = CliRunner().invoke(app, ["load", *options, "--url", f"http://127.0.0.1:{server.port}"])
    get_settings.cache_clear()
    assert done.exit_code == code, done.output
    values = json.loads(done.stdout)
    assert values["holds"] is (code == 0)
    assert [phase["phase"] for phase in values["phases"]] == ["before", "spike", "after"]
    assert values["all"]["calls"] == 56
    assert {one["holds"] for one in values["objectives"] if one["phase"] != "before"} == {True}


@pytest.mark.services
@pytest.mark.drill
def test_by_the_topic_the_answer_is_the_prediction_and_none_is_bad(
    platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "champion").symlink_to(tiny_bundle(tmp_path / "models" / "1"))
    write_history(tmp_path)
    stream = Stream(platform, tmp_path)
    load = Load(RATE, 0.5, door=Door.TOPIC)
    calls = round(load.rate * load.seconds)
    with monkeypatch.context() as impatient:
        impatient.setattr(to_topic, "PATIENCE_S", 2.0)
        alone = run(stream.settings, load, Watch())
    assert alone.total().outcomes == {"no prediction": calls}
    assert not holds(alone)
    with stream.worker():
        stream.drain()
        answered = run(stream.settings, load, Watch())
    assert answered.total().outcomes == {"predicted": calls}
    assert len([*lines(tmp_path)]) == 2 * calls, "both wrote down what Kafka took"
