"""`bdp bench online`: what the store costs a transaction, one by one and in micro-batches."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict
from functools import partial

from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.layout import Layout
from bdp_assets.features.online import OnlineStore
from bdp_assets.settings import Settings
from benchmarks.alternation import Say
from benchmarks.bench import Bench, Outcome, Plot, Request
from benchmarks.goals import Goal
from benchmarks.online.effort import Effort
from benchmarks.online.floor import as_large_as
from benchmarks.online.footprint import footprint
from benchmarks.online.pipelined import Loading, seconds_of
from benchmarks.online.single import latencies
from benchmarks.online.wire import traffic
from benchmarks.online.world import World, places
from benchmarks.services import connected, own_services


def run(request: Request) -> Outcome:
    effort = Effort(repeats=request.repeats or Effort.repeats)
    request.say("starting a Valkey of its own")
    with own_services("redis") as settings:
        return measured(settings, World(Layout(CATALOG, "").events_ms), effort, request.say)


def measured(settings: Settings, world: World, effort: Effort, say: Say) -> Outcome:
    """Every figure of the bench, on the store that the settings reach; what was in it is lost."""
    history = world.history()
    with connected(settings) as client:
        store = OnlineStore(client, CATALOG)
        say("filling the store")
        filled = store.rebuild(*history)
        held = footprint(client)
        coming = _coming(store, world, effort)
        mine = traffic(client, partial(_next, coming), effort.sized)
        sizes = as_large_as(client, mine)
        trip = sizes.on(client)
        bare = traffic(client, trip.call)
        ours, floor = latencies(coming, trip.call, effort, say)
        refill = partial(store.rebuild, *history)
        seconds = seconds_of(Loading(settings, world, effort, sizes), refill, say)
    sent = effort.clients * effort.batches * effort.batch
    rates = {name: round(sent / found) for name, found in seconds.items()}
    return Outcome(
        repeats=effort.repeats,
        data={
            "customers": filled.customers,
            "merchants": filled.merchants,
            "events_per_customer": round(filled.events / filled.customers, 1),
            "tiles_per_merchant": round(filled.tiles / filled.merchants, 1),
            "features": len(CATALOG.names),
            "a_round": asdict(effort),
        },
        ours={
            **ours.figures(),
            **mine.figures(),
            "pipelined_per_s": rates["ours"],
            "store_per_s": rates["store"],
            **held,
        },
        floor={**floor.figures(), **bare.figures(), "pipelined_per_s": rates["floor"]},
        ratios={
            "p50_vs_round_trip": round(ours.percentile(50) / floor.percentile(50), 2),
            "p99_vs_round_trip": round(ours.percentile(99) / floor.percentile(99), 2),
        },
    )


def _coming(store: OnlineStore, world: World, effort: Effort) -> Iterator[Callable[[], object]]:
    """A call for each transaction that comes one by one."""
    count = effort.sized + effort.warm_up + effort.repeats * effort.calls
    return iter([partial(store.enrich, [one], places([one])) for one in world.coming(0, count)])


def _next(calls: Iterator[Callable[[], object]]) -> None:
    next(calls)()


BENCH = Bench(
    name="online",
    summary="one transaction's update and read in the online store; a bare round trip as large is the floor",
    run=run,
    goals={
        "ours.p99_ms": Goal(most=1.0),
        "ours.pipelined_per_s": Goal(least=25_000),
        "ratios.p99_vs_round_trip": Goal(most=4),
    },
    plots=(
        Plot(
            "One transaction",
            "ms",
            {
                "ours, median": "ours.p50_ms",
                "round trip, median": "floor.p50_ms",
                "ours, p99": "ours.p99_ms",
                "round trip, p99": "floor.p99_ms",
            },
        ),
        Plot(
            "Micro-batches",
            "transactions a second",
            {
                "ours": "ours.pipelined_per_s",
                "ours, without computing": "ours.store_per_s",
                "round trips of that size": "floor.pipelined_per_s",
            },
        ),
        Plot(
            "Memory",
            "kB",
            {
                "a customer": "ours.bytes_per_customer_bytes",
                "a merchant": "ours.bytes_per_merchant_bytes",
            },
            unit=1e3,
        ),
    ),
)
