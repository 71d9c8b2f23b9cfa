"""`bdp bench api`: a prediction over HTTP, the full path, beside a bare app and one as the original was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict
from itertools import islice

from bdp_assets.clients.kafka import ensure_topics
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations.topics import specs
from bdp_assets.runtime.ports import choose_free
from bdp_assets.settings import Settings
from bdp_assets.training.fit import Members, fit_members
from bdp_assets.training.pipeline import DEFAULT
from benchmarks.alternation import Say
from benchmarks.api import claims, floor, peer
from benchmarks.api.effort import CONNECTIONS, JUDGED, Effort
from benchmarks.api.load import BATCH, Answered, Clients, together
from benchmarks.api.servers import new_key, serving
from benchmarks.bench import Bench, Figures, Outcome, Plot, Request
from benchmarks.goals import Goal
from benchmarks.services import own_services
from benchmarks.stream.world import Prepared, prepare
from bento.access.access import HEADER

SIDES = ("ours", "floor", "peer")
Rounds = dict[str, dict[int, list[Answered]]]


def run(request: Request) -> Outcome:
    effort = Effort(repeats=request.repeats or Effort.repeats)
    request.say("starting a Kafka and a Valkey of its own")
    with own_services("kafka", "redis") as settings:
        world = prepare(settings, effort.history(), request.say)
        return measured(settings, world, _members(world), effort, request.say)


def measured(settings: Settings, world: Prepared, members: Members, effort: Effort, say: Say) -> Outcome:
    """Every figure of the bench, on services that it may fill; `members`: the peer's."""
    ensure_topics(settings, specs())
    peer.save(members, settings.home)
    say("counting what a claim moves")
    sizes = claims.sizes(settings, world.records, effort.sized)
    floor.save(sizes, settings.home)
    ports = choose_free(SIDES)
    own = settings.model_copy(update={"api_port": ports["ours"], "api_auth": "required"})
    key = new_key(own)  # Before the server starts, which reads the file anew every second.
    say("starting the three servers")
    with serving(own, ports), closing(Clients({HEADER: key})) as clients:
        bodies = _Bodies(world)
        rounds, batched = _rounds(clients, ports, bodies, effort, say)
        tail = {}
        for name in ("ours", "floor"):
            say(f"{name}: {effort.tail:,} calls for the slowest of them")
            tail[name] = clients.call(ports[name], bodies.next(name, effort.tail), JUDGED)
    figures = {name: _figures(found) for name, found in rounds.items()}
    for name, found in tail.items():
        figures[name]["tail"] = found.figures()
    figures["ours"]["batch"] = _batch_figures(batched, effort)
    figures["floor"]["script"] = {f"{way}_bytes": size for way, size in asdict(sizes).items()}
    return Outcome(
        repeats=effort.repeats,
        data={
            "customers": world.customers,
            "events": world.events,
            "a_round": asdict(effort),
            "judged": JUDGED,
        },
        ours=figures["ours"],
        floor=figures["floor"],
        peers={"flask": figures["peer"]},
        ratios=_ratios(figures),
    )


def _members(world: Prepared) -> Members:
    """Grown as ours are, on the same rows."""
    assert world.training is not None  # noqa: S101 - it was prepared
    rows = world.training.train_rows()
    return fit_members(rows.select(CATALOG.names).to_numpy(), rows["is_fraud"].to_numpy(), DEFAULT, 0)


class _Bodies:
    """What the sides are sent: ours new transactions each time, the others any."""

    def __init__(self, world: Prepared) -> None:
        self._records = world.records
        self._last: list[bytes] = []

    def next(self, name: str, count: int) -> Sequence[bytes]:
        if name == "ours":
            self._last = [record.value for record in islice(self._records, count)]
        return self._last[:count]

    def batches(self, effort: Effort) -> Sequence[bytes]:
        """Bare arrays of new transactions."""
        rows = (record.value for record in self._records)
        return [b"[" + b",".join(islice(rows, effort.batch_rows)) + b"]" for _ in range(effort.batches)]


def _rounds(
    clients: Clients, ports: Mapping[str, int], bodies: _Bodies, effort: Effort, say: Say
) -> tuple[Rounds, list[Answered]]:
    """The sides take turns at each number of connections; then ours has its batches."""
    rounds: Rounds = {name: {count: [] for count in CONNECTIONS} for name in SIDES}
    batched: list[Answered] = []
    for turn in range(effort.repeats + 1):
        for count in CONNECTIONS:
            say(
                f"{count} connections: round {turn} of {effort.repeats}"
                if turn
                else f"{count} connections: warm-up"
            )
            for name in SIDES:
                calls = effort.calls // effort.peer_part if name == "peer" else effort.calls
                answered = clients.call(ports[name], bodies.next(name, calls), count)
                rounds[name][count] += [answered] if turn else []
        answered = clients.call(ports["ours"], bodies.batches(effort), 1, BATCH)
        batched += [answered] if turn else []
    return rounds, batched


def _figures(rounds: Mapping[int, Sequence[Answered]]) -> Figures:
    found = {count: together(answered).figures() for count, answered in rounds.items()}
    return {**found[JUDGED], "connections": {str(count): figures for count, figures in found.items()}}


def _batch_figures(batched: Sequence[Answered], effort: Effort) -> Figures:
    """Of batches on one connection; `rows_per_s`: their transactions."""
    found = together(batched)
    rows = len(found.each) * effort.batch_rows
    return {**found.figures(), "rows_per_s": round(rows / found.total_s)}


def _ratios(figures: Mapping[str, Figures]) -> Figures:
    ours, floor = figures["ours"], figures["floor"]
    return {
        **_vs_floor(ours, floor),
        "connections": {
            count: _vs_floor(found, floor["connections"][count])
            for count, found in ours["connections"].items()
        },
        "max_vs_floor": round(ours["tail"]["max_ms"] / floor["tail"]["max_ms"], 2),
        "batch_rows_vs_single": round(ours["batch"]["rows_per_s"] / ours["connections"]["1"]["per_s"], 1),
        "rps_vs_peer": round(ours["per_s"] / figures["peer"]["per_s"], 1),
    }


def _vs_floor(ours: Figures, floor: Figures) -> Figures:
    return {
        f"{name}_vs_floor": round(ours[f"{name}_ms"] / floor[f"{name}_ms"], 2)
        for name in ("p50", "p99", "p999")
    }


BENCH = Bench(
    name="api",
    summary="one prediction over HTTP; a bare ASGI app is the floor, Flask with scikit-learn the peer",
    run=run,
    goals={
        "ratios.p50_vs_floor": Goal(most=2),
        "ratios.p99_vs_floor": Goal(most=3),
        "ratios.max_vs_floor": Goal(most=5),
        "ratios.rps_vs_peer": Goal(least=10),
        "ratios.batch_rows_vs_single": Goal(least=20),
    },
    plots=(
        Plot(
            f"Calls a second, {JUDGED} connections",
            "1,000 / s",
            {"ours": "ours.per_s", "bare app": "floor.per_s", "Flask": "peers.flask.per_s"},
            unit=1_000,
        ),
        Plot(
            f"99th percentile, {JUDGED} connections",
            "ms",
            {"ours": "ours.p99_ms", "bare app": "floor.p99_ms", "Flask": "peers.flask.p99_ms"},
            logarithmic=True,
        ),
    ),
)
