"""`bdp bench stream`: raw message -> prediction with transactions on a real broker, store and model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack, closing
from dataclasses import asdict
from statistics import median

import numpy as np
import psutil

from bdp_assets.clients.kafka import TopicSpec, ensure_topics
from bdp_assets.contracts.topics import RAW
from bdp_assets.operations.topics import specs
from bdp_assets.settings import Settings
from bdp_assets.streaming.groups import SCORING
from benchmarks.alternation import Say
from benchmarks.bench import Bench, Figures, Outcome, Plot, Request
from benchmarks.goals import Goal
from benchmarks.services import own_services
from benchmarks.stream import freshness, pass_through
from benchmarks.stream.backlog import Committed, Settled, produce, settle, wait_until
from benchmarks.stream.effort import Effort
from benchmarks.stream.workers import held, release, running, scoring, services, wait_until_idle
from benchmarks.stream.workers import pass_through as passing
from benchmarks.stream.world import Prepared, prepare

Sides = dict[str, tuple[Committed, list[list[str]]]]
Rounds = dict[str, list[Settled]]


def run(request: Request) -> Outcome:
    effort = Effort(repeats=request.repeats or Effort.repeats)
    request.say("starting a Kafka and a Valkey of its own")
    with own_services("kafka", "redis") as settings:
        return measured(settings, prepare(settings, effort, request.say), effort, request.say)


def measured(settings: Settings, world: Prepared, effort: Effort, say: Say) -> Outcome:
    """Every figure of the bench, on services that it may fill."""
    ensure_topics(settings, [*specs(), TopicSpec(pass_through.OUTPUT, RAW.partitions, {})])
    with (
        closing(Committed(settings, SCORING)) as ours,
        closing(Committed(settings, pass_through.GROUP)) as floor,
    ):
        sides = {"ours": (ours, scoring(effort.workers)), "floor": (floor, passing(effort.workers))}
        rounds = _rounds(settings, world, effort, sides, say)
        say(f"{effort.rate} messages a second for {effort.seconds} s")
        with running(settings, scoring(1)) as [worker]:
            _warmed_up(settings, world, ours, effort.rate)
            ages = freshness.measured(settings, world.records, effort.rate, effort.seconds)
            held = worker.memory_info().rss
    rates = {name: median(one.per_s for one in found) for name, found in rounds.items()}
    return Outcome(
        repeats=effort.repeats,
        data={"customers": world.customers, "events": world.events, "a_round": asdict(effort)},
        ours={
            "per_s": round(rates["ours"]),
            "freshness_p50_ms": round(float(np.percentile(ages, 50)), 1),
            "freshness_p99_ms": round(float(np.percentile(ages, 99)), 1),
            "cpu_s_per_1000": _cpu(rounds["ours"]),
            "worker_rss_bytes": held,
        },
        floor={"per_s": round(rates["floor"]), "cpu_s_per_1000": _cpu(rounds["floor"])},
        ratios={"vs_pass_through": round(rates["ours"] / rates["floor"], 3)},
    )


def _rounds(settings: Settings, world: Prepared, effort: Effort, sides: Sides, say: Say) -> Rounds:
    """Each round's backlog is settled by both sides in turn."""
    rounds: Rounds = {name: [] for name in sides}
    for turn in range(effort.repeats + 1):
        say(f"backlog: round {turn} of {effort.repeats}" if turn else "backlog: warm-up")
        for name, settled in _round(settings, world, effort, sides, (turn + 1) * effort.messages).items():
            rounds[name] += [settled] if turn else []
    return rounds


def _round(
    settings: Settings, world: Prepared, effort: Effort, sides: Sides, total: int
) -> dict[str, Settled]:
    """Workers of both sides have started, and are held while the backlog grows: their start is not timed."""
    settled = {}
    with ExitStack() as stack:
        workers = {name: stack.enter_context(running(settings, sides[name][1])) for name in sides}
        everybody = [process for group in workers.values() for process in group]
        wait_until_idle(everybody)
        with held(everybody):
            produce(settings, world.records, effort.messages)
            # The floor first: it takes a second, and the others may not be held for long.
            for name in reversed(sides):
                release(workers[name])
                watched = _watched(settings, workers[name])
                settled[name] = settle(sides[name][0], total, effort.messages, watched)
    return settled


def _warmed_up(settings: Settings, world: Prepared, done: Committed, count: int) -> None:
    total = done() + count
    produce(settings, world.records, count)
    wait_until(done, total)


def _watched(settings: Settings, workers: Sequence[psutil.Process]) -> Mapping[str, Sequence[psutil.Process]]:
    return {"workers": workers, **{name: [process] for name, process in services(settings).items()}}


def _cpu(rounds: Sequence[Settled]) -> Figures:
    """Seconds of processor time for a thousand messages."""
    return {
        f"{name}_s": round(median(1_000 * one.cpu_s[name] / one.messages for one in rounds), 4)
        for name in rounds[0].cpu_s
    }


BENCH = Bench(
    name="stream",
    summary="raw message to prediction, exactly once; a transactional pass-through is the floor",
    run=run,
    goals={
        "ours.per_s": Goal(least=10_000),
        "ours.freshness_p99_ms": Goal(most=150),
    },
    plots=(
        Plot(
            title="Messages a second",
            axis="messages/s",
            figures={"raw to prediction": "ours.per_s", "pass-through": "floor.per_s"},
            logarithmic=True,
        ),
    ),
)
