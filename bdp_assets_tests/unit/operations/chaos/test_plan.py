"""The plan is a function of the seed, and leaves nothing out."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.operations.chaos.plan import BETWEEN_S, TARGETS, Kind, Move, make_plan
from bdp_assets.operations.verify.lag import READERS
from bdp_assets.runtime import services
from bdp_assets.streaming.kill_points import Point

SEEDS = st.integers(0, 2**32)


@given(SEEDS, st.integers(1, 5))
def test_the_same_seed_is_the_same_plan_however_many_rounds_follow(seed: int, rounds: int) -> None:
    plan = make_plan(seed, rounds)

    assert plan == make_plan(seed, rounds)
    assert make_plan(seed, rounds + 1)[: len(plan)] == plan


def test_another_seed_and_another_round_are_other_orders() -> None:
    both = make_plan(1, 2)
    first, second = both[: len(both) // 2], both[len(both) // 2 :]

    assert first != second
    assert first != make_plan(2, 1)


@given(SEEDS)
def test_every_round_has_every_move_and_every_boundary_once(seed: int) -> None:
    done = Counter((move.target.program, move.kind, move.point) for move in make_plan(seed, 1))

    for target in TARGETS:
        expected = [(Kind.KILL, None), (Kind.PAUSE, None), (Kind.RESTART, None)]
        expected += [(Kind.DIE, point) for point in Point if target.reads]
        expected += [(kind, None) for kind in (Kind.ADD, Kind.REMOVE) if target.scales]
        expected += [(Kind.LOSE, None)] if target.can_be_lost else []
        for kind, point in expected:
            assert done.pop((target.program, kind, point)) == 1
    assert not done


@given(SEEDS)
def test_no_worker_leaves_that_has_not_come_and_none_comes_twice(seed: int) -> None:
    there = 0
    for move in make_plan(seed, 3):
        there += {Kind.ADD: 1, Kind.REMOVE: -1}.get(move.kind, 0)
        assert there in (0, 1)
    assert there == 0


@given(SEEDS)
def test_moves_keep_their_bounds(seed: int) -> None:
    for move in make_plan(seed, 2):
        assert BETWEEN_S[0] <= move.after_s <= BETWEEN_S[1]
        shortest, longest = move.target.pause_s
        assert (shortest <= move.seconds <= longest) if move.kind is Kind.PAUSE else move.seconds == 0


def test_targets_are_programs_and_every_group_that_reads_is_disturbed() -> None:
    assert {target.program for target in TARGETS} <= services.BY_NAME.keys()
    assert dict(target.reads for target in TARGETS if target.reads) == READERS


def test_a_move_says_what_it_does() -> None:
    worker = TARGETS[0]

    assert Move(Kind.PAUSE, worker, 1.0, 4.25).says == "pause 4.2 s"
    assert Move(Kind.DIE, worker, 1.0, point=Point.BEFORE_COMMIT).says == "die at before-commit"
