"""How fast a backlog is settled: messages that a group has committed, and what that cost whom."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

import psutil
from confluent_kafka import KafkaException, TopicPartition

from bdp_assets.clients.kafka import Publisher, consumer
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.topics import RAW
from bdp_assets.operations.traffic_journal import Outgoing
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings
from benchmarks.stream.workers import cpu_s

_EVERY_S = 0.05
_PATIENCE_S = 120.0
_BEGINS = 0.1
"""Share of the backlog after which time counts: until then workers wake up, and fetch for the first time."""


@dataclass(frozen=True)
class Settled:
    """`cpu_s`: of each process, in the counted part."""

    messages: int
    seconds: float
    cpu_s: Mapping[str, float]

    @property
    def per_s(self) -> float:
        return self.messages / self.seconds


class Committed:
    """Messages of the raw topic whose results a group has committed; it never joins the group."""

    def __init__(self, settings: Settings, group: str) -> None:
        # A reader of committed records would wait here until no transaction is under way.
        self._consumer = consumer(settings, group, **{"isolation.level": "read_uncommitted"})
        self._wanted = [TopicPartition(RAW.name, number) for number in range(RAW.partitions)]

    def __call__(self) -> int:
        deadline = time.monotonic() + _PATIENCE_S
        while True:
            try:
                found = self._consumer.committed(self._wanted, timeout=10)
            except KafkaException:  # a broker that has just started has no coordinator yet
                if time.monotonic() > deadline:
                    raise
                time.sleep(_EVERY_S)
            else:
                return sum(max(0, position.offset) for position in found)

    def close(self) -> None:
        self._consumer.close()


def produce(settings: Settings, records: Iterator[Outgoing], count: int) -> None:
    """Onto the raw topic, as fast as it takes them."""
    publisher, version = Publisher(settings), schema_version_header(RAW)
    for record in islice(records, count):
        publisher.send(RAW.name, key=record.customer_id, value=record.value, headers=[version])
    publisher.flush()


def settle(
    done: Callable[[], int], total: int, backlog: int, processes: Mapping[str, Sequence[psutil.Process]]
) -> Settled:
    """Wait until `done()` is `total`, of which `backlog` was open at first. Raises Problem."""
    start = total - round(backlog * (1 - _BEGINS))
    reached = wait_until(done, start)
    if reached == total:
        raise Problem("The backlog was settled before it could be timed.", "Give the bench a larger one.")
    began, before = time.perf_counter(), _cpu(processes)
    wait_until(done, total)
    seconds = time.perf_counter() - began
    cpu = {name: spent - before[name] for name, spent in _cpu(processes).items()}
    return Settled(total - reached, seconds, cpu)


def wait_until(done: Callable[[], int], wanted: int) -> int:
    """Until so many are done; how many are, then. Raises Problem."""
    deadline = time.monotonic() + _PATIENCE_S
    while (now := done()) < wanted:
        if time.monotonic() > deadline:
            raise Problem(
                f"The workers have committed {now} messages of {wanted} after {_PATIENCE_S:.0f} s.",
                "The bench is at fault, or something else has the machine.",
            )
        time.sleep(_EVERY_S)
    return now


def _cpu(processes: Mapping[str, Sequence[psutil.Process]]) -> dict[str, float]:
    return {name: sum(map(cpu_s, group)) for name, group in processes.items()}
