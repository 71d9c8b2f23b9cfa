"""The loop: exactly-once whatever fails in it, and a clean end."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.clients.kafka import Message, ProducerFenced
from bdp_assets.streaming import runner
from bdp_assets.streaming.kill_points import Point
from bdp_assets.streaming.runner import Limits, Runner
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.broker import FakeBroker, FakePublisher, FakeReader
from bdp_assets_tests.fakes.decider import FakeDecider
from bdp_assets_tests.fakes.messages import PAN_KEY, body, raw
from bdp_assets_tests.fakes.online_store import FakeStore


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "FIRST_PAUSE_S", 0.0)
    monkeypatch.setattr(runner, "LONGEST_PAUSE_S", 0.0)


class Killed(BaseException):
    """kill -9, as seen from inside."""


class Worker:
    """A runner on fakes that stops when all is committed; `dies_at` is a point of its first batch."""

    def __init__(
        self,
        broker: FakeBroker,
        store: FakeStore,
        *,
        most: int = 3,
        abortable: int = 0,
        dies_at: Point | None = None,
    ) -> None:
        self.stop = threading.Event()
        self._scoring = Scoring(store, FakeDecider(), lambda: "TOPIC", alerts=store.alerts, pan_key=PAN_KEY)  # type: ignore[arg-type]
        self._dies_at = dies_at
        publisher = FakePublisher(broker, abortable)
        self.reader = FakeReader(broker)
        self._runner = Runner(
            self.reader,  # type: ignore[arg-type]
            publisher,  # type: ignore[arg-type]
            self._scoring,
            limits=Limits(most, 0.0),
            stop=self.stop,
            reached=self._reached,
        )

    def run(self) -> None:
        if self.reader.lag():
            self._runner.run()

    def _reached(self, point: Point) -> None:
        if point == self._dies_at:
            raise Killed
        if point is Point.AFTER_COMMIT and not self.reader.lag():
            self.stop.set()


def messages() -> list[Message]:
    values = [
        body("a"),
        b"{",
        body("b", amount=5000),
        body("a"),
        body("c"),
        body("b"),
        body("d"),
        body("poison"),
    ]
    return [raw(value, offset=i // 2, partition=i % 2) for i, value in enumerate(values)]


def undisturbed() -> tuple[FakeBroker, FakeStore]:
    broker, store = FakeBroker(messages()), FakeStore()
    Worker(broker, store).run()
    return broker, store


@given(
    deaths=st.lists(st.sampled_from(Point), max_size=6),
    outages=st.integers(0, 3),
    aborts=st.integers(0, 3),
    sizes=st.lists(st.integers(1, 5), min_size=7, max_size=7),
)
def test_whatever_dies_and_fails_the_outputs_are_those_of_an_undisturbed_run(
    deaths: list[Point], outages: int, aborts: int, sizes: list[int]
) -> None:
    expected, expected_store = undisturbed()
    broker, store = FakeBroker(messages()), FakeStore(outages)

    for death, most in zip(deaths, sizes, strict=False):
        try:
            Worker(broker, store, most=most, dies_at=death).run()
        except Killed:
            continue
    Worker(broker, store, most=sizes[-1], abortable=aborts).run()

    assert Counter(broker.outputs) == Counter(expected.outputs)
    assert broker.committed == expected.committed
    assert (store.claimed, store.merchants) == (expected_store.claimed, expected_store.merchants)


def test_nothing_of_an_aborted_transaction_is_published_and_the_batch_comes_again() -> None:
    broker = FakeBroker([raw(body())])

    Worker(broker, FakeStore(), abortable=2).run()

    assert len(broker.outputs) == 3


def test_a_stop_lets_the_batch_in_hand_finish() -> None:
    broker = FakeBroker([raw(body(f"t-{i}"), i) for i in range(10)])
    worker = Worker(broker, FakeStore(), most=4)
    worker.stop.clear()
    worker._runner._process = lambda batch: (worker.stop.set(), worker._scoring(batch))[1]  # type: ignore[method-assign,func-returns-value]

    worker.run()

    assert broker.committed == {0: 4}
    assert len(broker.outputs) == 12


def test_a_fenced_worker_leaves() -> None:
    broker = FakeBroker([raw(body())])
    worker = Worker(broker, FakeStore())

    def fenced(*_: object, **__: object) -> None:
        raise ProducerFenced("another process took this worker's slot")

    worker._runner._publisher.commit = fenced  # type: ignore[method-assign]

    with pytest.raises(ProducerFenced):
        worker.run()
    assert not broker.outputs
