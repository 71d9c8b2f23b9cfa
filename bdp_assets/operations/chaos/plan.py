"""What is done to whom, and when: a function of the seed, and of nothing else."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from bdp_assets.contracts.topics import LABELS, RAW, VALIDATED, Topic
from bdp_assets.streaming import groups
from bdp_assets.streaming.kill_points import Point


class Kind(StrEnum):
    KILL = "kill -9"
    PAUSE = "pause"
    RESTART = "restart"
    DIE = "die at"
    LOSE = "lose all and rebuild"
    ADD = "add a worker"
    REMOVE = "remove a worker"


@dataclass(frozen=True)
class Target:
    """A program of the platform. `reads`: of a stream worker, its consumer group and topic.

    `pause_s`: the shortest and longest time for which it is stopped; `scales`: another worker beside it comes
    and goes; `can_be_lost`: all that it holds can be made anew; `with_children`: what a kill -9 of the first
    process leaves behind is killed with it.
    """

    program: str
    pause_s: tuple[float, float] = (1.0, 6.0)
    reads: tuple[str, Topic] | None = None
    scales: bool = False
    can_be_lost: bool = False
    with_children: bool = False


# A worker that sleeps for more than ten seconds has lost its membership and its transaction. BentoML's first
# process only watches the one that answers.
TARGETS = (
    Target("scoring", (4.0, 13.0), (groups.SCORING, RAW), scales=True),
    Target("labels", (4.0, 13.0), (groups.LABELS, LABELS)),
    Target("analytics", (4.0, 13.0), (groups.ANALYTICS, VALIDATED)),
    Target("api", with_children=True),
    Target("redis", can_be_lost=True),
    Target("kafka"),
    Target("postgres"),
    Target("dagster-daemon"),
)
BETWEEN_S = (0.3, 2.5)
"""Shortest and longest time from one move to the next, whether the first one is over or not."""


@dataclass(frozen=True)
class Move:
    """`after_s`: seconds since the move before. `seconds`: how long a pause lasts."""

    kind: Kind
    target: Target
    after_s: float
    seconds: float = 0.0
    point: Point | None = None

    @property
    def says(self) -> str:
        if self.kind is Kind.DIE:
            return f"{self.kind} {self.point}"
        return f"{self.kind} {self.seconds:.1f} s" if self.kind is Kind.PAUSE else str(self.kind)

    @property
    def kills(self) -> bool:
        return self.kind in (Kind.KILL, Kind.DIE)


def make_plan(seed: int, rounds: int, targets: Sequence[Target] = TARGETS) -> list[Move]:
    """Rounds of all that can be done, each once and in an order of its own."""
    generators = (random.Random(f"{seed}:{number}") for number in range(rounds))  # noqa: S311 - a plan
    return [move for rng in generators for move in _round(rng, targets)]


def _round(rng: random.Random, targets: Sequence[Target]) -> list[Move]:
    moves = [move for target in targets for move in _moves(rng, target)]
    rng.shuffle(moves)
    return _added_before_removed(moves)


def _moves(rng: random.Random, target: Target) -> Iterator[Move]:
    def after() -> float:
        return round(rng.uniform(*BETWEEN_S), 2)

    yield Move(Kind.KILL, target, after())
    yield Move(Kind.PAUSE, target, after(), round(rng.uniform(*target.pause_s), 1))
    yield Move(Kind.RESTART, target, after())
    if target.reads:
        for point in Point:
            yield Move(Kind.DIE, target, after(), point=point)
    if target.scales:
        yield Move(Kind.ADD, target, after())
        yield Move(Kind.REMOVE, target, after())
    if target.can_be_lost:
        yield Move(Kind.LOSE, target, after())


def _added_before_removed(moves: list[Move]) -> list[Move]:
    """Every worker that leaves has come before; the places of the two stay."""
    for target in {move.target for move in moves if move.target.scales}:
        places = [i for i, m in enumerate(moves) if m.target == target and m.kind in (Kind.ADD, Kind.REMOVE)]
        first, second = places
        if moves[first].kind is Kind.REMOVE:
            moves[first], moves[second] = moves[second], moves[first]
    return moves
