"""Micro-batches, as the stream worker sends them: claim and read, then the tiles of merchants."""

from __future__ import annotations

import gc
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from statistics import median

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.online import OnlineStore
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings
from benchmarks.alternation import Say
from benchmarks.online.clients import Share, Sides, clients
from benchmarks.online.effort import Effort
from benchmarks.online.floor import RoundTrip, Sizes
from benchmarks.online.wire import recorded, send_again
from benchmarks.online.world import World, places
from benchmarks.services import connected

SIDES = ("ours", "store", "floor")
Batches = Sequence[Sequence[ValidatedTransaction]]


@dataclass(frozen=True)
class Loading:
    """What each client does: `ours`, `store` (the same bytes sent again, nothing computed) and `floor`."""

    settings: Settings
    world: World
    effort: Effort
    trip: Sizes
    """Of the floor's call."""

    def __call__(self, share: Share) -> Sides:
        """Its sides, each a whole round of micro-batches.

        The store has to be as full as it will be at each round: what is sent depends on it.
        """
        client = connected(self.settings)
        size = self.effort.batch
        batches = [self.world.coming(i * size * share.of, size, share) for i in range(self.effort.batches)]
        sent = recorded(self.settings, lambda client: _enriched(OnlineStore(client), batches, share))
        return {
            "ours": partial(_enriched, OnlineStore(client), batches, share),
            "store": partial(send_again, client, sent),
            "floor": partial(_bare, self.trip.on(client), batches),
        }


def seconds_of(loading: Loading, refill: Callable[[], object], say: Say) -> dict[str, float]:
    """The median of the rounds, in which the sides take turns.

    Every turn begins with a store that was filled anew: a transaction that comes twice is another case.
    """
    seconds: dict[str, list[float]] = {name: [] for name in SIDES}
    repeats = loading.effort.repeats
    refill()
    with clients(loading, loading.effort.clients) as loaded:
        for turn in range(repeats + 1):
            say(f"micro-batches: round {turn} of {repeats}" if turn else "micro-batches: warm-up")
            for name in SIDES:
                refill()
                seconds[name].append(loaded.seconds(name))
    return {name: median(found[1:]) for name, found in seconds.items()}


def _enriched(store: OnlineStore, batches: Batches, share: Share) -> None:
    store.bind()  # Each turn has a store that was filled anew.
    for batch in batches:
        gc.collect()  # As a worker does, and part of the time.
        where = places(batch, share.number)
        answers = store.enrich(batch, where)
        if {answer.status for answer in answers} != {"new"}:
            raise Problem("A transaction of the bench was not new to the store.", "The bench is at fault.")
        store.apply_shared(batch, where)


def _bare(trip: RoundTrip, batches: Batches) -> None:
    for batch in batches:
        trip.pipelined(len(batch))
