"""`bdp bench ingest`: rows of a CSV file to the raw topic of a real broker, against reading and producing
alone."""

from __future__ import annotations

from dataclasses import dataclass

from bdp_assets.clients.kafka import ensure_topics
from bdp_assets.operations import migrations
from bdp_assets.operations.topics import specs
from bdp_assets.settings import Settings
from benchmarks.alternation import Say, Times, alternated
from benchmarks.bench import Bench, Figures, Outcome, Plot, Request
from benchmarks.goals import Goal
from benchmarks.ingest import floor, ours, shop
from benchmarks.memory import measured_apart
from benchmarks.services import own_services


@dataclass(frozen=True)
class Effort:
    """`rows` a round: so many that the half second of a start does not count. Memory is that of a file of
    `rows`, and of one of `times_rows` times as many."""

    repeats: int = 3
    rows: int = 1_000_000
    times_rows: int = 2


def run(request: Request) -> Outcome:
    effort = Effort(repeats=request.repeats or Effort.repeats)
    request.say("starting a Kafka and a PostgreSQL of its own")
    with own_services("kafka", "postgres") as settings:
        return measured(settings, effort, request.say)


def measured(settings: Settings, effort: Effort, say: Say) -> Outcome:
    """Every figure of the bench, on services that it may fill."""
    ensure_topics(settings, specs())
    migrations.upgrade(settings)
    folder = settings.home / "sources"
    file = shop.write(folder, effort.rows, "shop")
    sides = {"ours": lambda: ours.send(settings, "shop"), "floor": lambda: floor.send(settings, file)}
    times = alternated(sides, effort.repeats, say)
    say(f"memory: {effort.rows:,} rows, and {effort.times_rows} times as many")
    larger = shop.write(folder, effort.times_rows * effort.rows, "larger")
    usual, most = (_peak(settings, name) for name in ("shop", "larger"))
    return Outcome(
        repeats=effort.repeats,
        data={"rows": effort.rows, "bytes": file.stat().st_size, "larger_bytes": larger.stat().st_size},
        ours={**_rate(times["ours"], effort), "peak_rss_bytes": most, "peak_rss_of_rows_bytes": usual},
        floor=_rate(times["floor"], effort),
        ratios={
            "vs_floor": round(times["floor"].median / times["ours"].median, 3),
            "peak_rss_growth": round(most / usual, 3),
        },
    )


def _rate(times: Times, effort: Effort) -> Figures:
    return {**times.figures(), "per_s": round(effort.rows / times.median)}


def _peak(settings: Settings, name: str) -> int:
    """In a process of its own, libraries and all."""
    found: int = measured_apart(ours.__name__, name, environment=settings.chosen())["peak_rss_bytes"]
    return found


BENCH = Bench(
    name="ingest",
    summary="CSV file -> raw topic, exactly once, real Kafka; floor: read and produce alone",
    run=run,
    goals={"ratios.vs_floor": Goal(least=0.5), "ratios.peak_rss_growth": Goal(most=1.2)},
    plots=(
        Plot(
            title="CSV file -> raw topic",
            axis="thousand rows a second",
            figures={"ours": "ours.per_s", "read and produce alone": "floor.per_s"},
            unit=1_000,
        ),
    ),
)
