"""Micro-batches, as the stream worker sends them: claim and read, then the tiles of merchants."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from statistics import median

from redis import Redis

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.online import OnlineStore
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings
from benchmarks.alternation import Say
from benchmarks.online.floor import RoundTrip
from benchmarks.online.wire import recorded, send_again
from benchmarks.online.world import places

Side = Callable[[], None]
Batches = Sequence[Sequence[ValidatedTransaction]]


def sides(
    settings: Settings, client: Redis, store: OnlineStore, trip: RoundTrip, batches: Batches
) -> dict[str, Side]:
    """`ours`, `store` (the same bytes sent again, and nothing computed) and `floor`, each a whole round.

    The store has to be as full as it will be at each round: what is sent depends on it.
    """
    sent = recorded(settings, lambda client: _enriched(OnlineStore(client, store.catalog), batches))
    return {
        "ours": partial(_enriched, store, batches),
        "store": partial(send_again, client, sent),
        "floor": partial(_bare, trip, batches),
    }


def seconds_of(
    sides: Mapping[str, Side], refill: Callable[[], object], repeats: int, say: Say
) -> dict[str, float]:
    """The median of the rounds, in which the sides take turns.

    Every turn begins with a store that was filled anew: a transaction that comes twice is another case.
    """
    seconds: dict[str, list[float]] = {name: [] for name in sides}
    for turn in range(repeats + 1):
        say(f"micro-batches: round {turn} of {repeats}" if turn else "micro-batches: warm-up")
        for name, side in sides.items():
            refill()
            seconds[name].append(_timed(side))
    return {name: median(found[1:]) for name, found in seconds.items()}


def _enriched(store: OnlineStore, batches: Batches) -> None:
    for batch in batches:
        where = places(batch)
        answers = store.enrich(batch, where)
        if {answer.status for answer in answers} != {"new"}:
            raise Problem("A transaction of the bench was not new to the store.", "The bench is at fault.")
        store.apply_shared(batch, where)


def _bare(trip: RoundTrip, batches: Batches) -> None:
    for batch in batches:
        trip.pipelined(len(batch))


def _timed(side: Side) -> float:
    began = time.perf_counter()
    side()
    return time.perf_counter() - began
