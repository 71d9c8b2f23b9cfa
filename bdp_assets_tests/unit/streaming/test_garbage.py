from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator, Sequence

import pytest

from bdp_assets.clients.kafka import Message
from bdp_assets.streaming.garbage import collected_between
from bdp_assets.streaming.items import Output


class Knot:
    """Refers to itself, so that only the collector can end it."""

    def __init__(self) -> None:
        self.itself = self


@pytest.fixture(autouse=True)
def as_it_was() -> Iterator[None]:
    yield
    gc.unfreeze()
    gc.enable()


def test_garbage_of_a_batch_stays_until_the_next_one() -> None:
    knots: list[weakref.ref[Knot]] = []
    alive: list[int] = []

    def process(_: Sequence[Message]) -> list[Output]:
        alive.append(sum(knot() is not None for knot in knots))
        knots.append(weakref.ref(Knot()))
        [[] for _ in range(10_000)]  # the collector would start by itself
        return []

    run = collected_between(process)
    for _ in range(3):
        run([])
        assert knots[-1]() is not None

    assert alive == [0, 0, 0]
