"""Moves overlap, but never two of one target; what fails is told, the verdict no kinder than its parts."""

from __future__ import annotations

import threading
import time
from collections import Counter
from io import StringIO
from types import SimpleNamespace

import pytest

from bdp_assets.operations.chaos import report, run
from bdp_assets.operations.chaos.blows import Blows, Failed
from bdp_assets.operations.chaos.plan import TARGETS, Kind, Move, make_plan
from bdp_assets.operations.chaos.recovery import Recovery
from bdp_assets.operations.chaos.run import Done, Outcome, Rounds
from bdp_assets.operations.ledger import Equation, Ledger
from bdp_assets.operations.verify.verification import Verification
from bdp_assets.settings import Settings
from bdp_assets.streaming.kill_points import Point

SCORING, REDIS = (next(one for one in TARGETS if one.program == name) for name in ("scoring", "redis"))


class FakeBlows(Blows):
    """Remembers who was struck while struck already."""

    def __init__(self) -> None:
        super().__init__(Settings(_env_file=None), threading.Event())  # type: ignore[call-arg]
        self.fails: Kind | None = None
        self.under_way: set[str] = set()
        self.twice = False

    def strike(self, move: Move) -> float:
        self.twice |= move.target.program in self.under_way
        if move.kind is self.fails:
            raise Failed("no batch came by within 1 s")
        self.under_way.add(move.target.program)
        return 0.0


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    own = vars(time) | {"sleep": lambda _seconds: None}  # Other threads of this process sleep, too.
    monkeypatch.setattr(run, "time", SimpleNamespace(**own))


@pytest.fixture
def blows(monkeypatch: pytest.MonkeyPatch) -> FakeBlows:
    blows = FakeBlows()

    def recovers(self: Recovery, _since: float) -> float:
        blows.over.wait(0.001)  # the others get their turn
        blows.under_way.remove(self.target.program)
        return 1.5

    monkeypatch.setattr(Recovery, "wait", recovers)
    return blows


def rounds(blows: Blows, told: list[Done]) -> Rounds:
    return Rounds(blows.settings, blows, told.append)


def test_the_whole_plan_is_played_and_told(blows: FakeBlows) -> None:
    plan, told = make_plan(3, 2), list[Done]()

    done = rounds(blows, told).play(plan, most_s=60)

    assert [one.move for one in done] == plan
    assert Counter(one.move for one in told) == Counter(plan)
    assert not blows.twice
    assert {one.recovery_s for one in done} == {1.5}


def test_no_move_begins_after_the_time(blows: FakeBlows) -> None:
    assert rounds(blows, []).play(make_plan(3, 1), most_s=-1) == []


def test_what_failed_is_a_problem_and_the_rest_goes_on(blows: FakeBlows) -> None:
    plan, blows.fails = make_plan(3, 1), Kind.LOSE

    done = rounds(blows, []).play(plan, most_s=60)

    assert len(done) == len(plan)
    told = outcome(done).problems
    assert told == ["redis, lose all and rebuild: no batch came by within 1 s"]


def test_a_defect_of_ours_ends_the_waiting_of_all(blows: FakeBlows) -> None:
    blows.strike = lambda move: 1 / 0  # type: ignore[method-assign]

    with pytest.raises(ZeroDivisionError):
        rounds(blows, []).play(make_plan(3, 1), most_s=60)
    assert blows.over.is_set()


def outcome(done: list[Done], left: int = 0, lag: int = 0, wrong: int = 0) -> Outcome:
    equation = Equation("doubled records = 0", wrong, 0)
    ledger = Ledger({"raw": 3}, {}, (equation,))
    found = Verification({"bdp-scoring": lag}, ledger, {"lake": (Equation("a = b", 2, 2),)}, {"lake": ""})
    return Outcome(done, left, 2, 1, 4.0, found)


def test_it_holds_only_where_everything_does() -> None:
    good = Done(Move(Kind.KILL, SCORING, 1.0), 0.0, 2.0)
    never = Done(Move(Kind.DIE, SCORING, 1.0, point=Point.AFTER_STATE), 3.0, None, "it did not come back")

    assert outcome([good]).holds
    assert outcome([good], left=4).holds, "less was tried, and that is told"
    assert not outcome([good, never]).holds
    assert not outcome([good], lag=1).holds
    assert not outcome([good], wrong=1).holds


def test_the_report_says_what_was_done_and_what_it_cost() -> None:
    from rich.console import Console

    moves = [Done(Move(Kind.KILL, REDIS, 1.0), number, float(number)) for number in (1, 2, 6)]
    never = Done(Move(Kind.DIE, SCORING, 1.0, point=Point.AFTER_STATE), 3.0, None, "it did not come back")
    console = Console(width=120, record=True, file=StringIO())
    console.print(report.as_text(outcome([*moves, never], left=4)))
    text = console.export_text()

    costs = ("2.0 s", "6.0 s", "never", "4 kills", "4 moves", "it did not come back", "die at after-state")
    for words in costs:
        assert words in text
    told = report.as_values(outcome([*moves, never], left=4), seed=1, rounds=1)
    assert (told["holds"], told["kills"], told["left_out"], len(told["moves"])) == (False, 4, 4, 4)
    assert told["moves"][-1]["recovery_s"] is None
    assert told["verify"]["holds"]
