from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from bdp_assets.operations.watching import source
from bdp_assets.operations.watching.source import WINDOW_S, Look, NotThere, Source


def asked(part: Source[int]) -> None:
    """One question, and its answer taken."""
    part.turn()
    part.wait(10)
    part.turn()


def raiser(error: Exception) -> Callable[[], int]:
    def ask() -> int:
        raise error

    return ask


def test_answers_are_kept_in_order_and_nobody_waits_for_a_silent_part() -> None:
    go = threading.Event()

    def ask() -> int:
        go.wait(10)
        return 7

    part = Source(ask, every_s=60)
    part.turn()
    part.turn()
    assert (list(part.looks), part.away, part.has_answered) == ([], "", False)
    go.set()
    asked(part)
    assert [look.value for look in part.looks] == [7]


def test_a_part_that_went_away_says_why_and_keeps_nothing_old() -> None:
    part = Source(lambda: 1, every_s=0)
    asked(part)
    part._ask = raiser(NotThere("it is off"))
    part.wait(10)
    asked(part)
    asked(part)
    assert (list(part.looks), part.away) == ([], "it is off")
    part._ask = lambda: 2
    part.wait(10)
    asked(part)
    asked(part)
    assert part.away == ""
    assert part.looks[-1].value == 2


def test_a_defect_is_not_taken_for_an_outage(monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[object] = []
    monkeypatch.setattr(threading, "excepthook", lambda of: told.append(of.exc_type))
    part = Source(raiser(KeyError("x")), every_s=60)
    with pytest.raises(RuntimeError, match="defect"):
        asked(part)
    part._question._thread.join(10)  # type: ignore[union-attr]
    assert told == [KeyError], "and what it was stands on the terminal"


def test_looks_reach_back_as_far_as_rates_are_made_of(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter(range(0, 1_000, 5))

    class Told(source._Question[int]):
        def __init__(self, ask: Callable[[], int]) -> None:
            super().__init__(ask)
            self.ended.wait(10)
            self._thread.join(10)
            self.look = Look(float(next(moments)), 0)

    monkeypatch.setattr(source, "_Question", Told)
    part = Source(lambda: 0, every_s=0)
    for _ in range(12):
        part.turn()
    ages = [part.looks[-1].at_s - look.at_s for look in part.looks]
    assert max(ages) >= WINDOW_S
    assert sum(age >= WINDOW_S for age in ages) == 1
