from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import pytest

from bento.parts import Parts, Work, overlapping

_whose: ContextVar[int] = ContextVar("whose", default=-1)


class Told:
    """Works that tell which of their parts is done, each within a context variable of its own."""

    def __init__(self, fails: tuple[int, int] = (-1, -1)) -> None:
        self.parts: list[tuple[int, str]] = []
        self._fails = fails

    def work(self, number: int, stops: int = 2) -> Work[list[int]]:
        with self._within(number):
            for stop in range(stops):
                self._tell(number, stop)
                yield
                assert _whose.get() == number
            self._tell(number, stops)
            return [number]

    def _tell(self, number: int, part: int) -> None:
        if (number, part) == self._fails:
            raise ZeroDivisionError
        self.parts.append((number, str(part)))

    @contextmanager
    def _within(self, number: int) -> Iterator[None]:
        token = _whose.set(number)
        try:
            yield
        except GeneratorExit:
            self.parts.append((number, "closed"))
            raise
        finally:
            _whose.reset(token)


def test_the_first_part_of_each_overlaps_with_the_rest_of_the_one_before() -> None:
    told = Told()
    assert asyncio.run(overlapping(told.work(number) for number in range(3))) == [0, 1, 2]
    assert [f"{number}{part}" for number, part in told.parts] == [
        *("00", "01"),  # It has its answers: what is asked next comes after.
        *("10", "02"),
        *("11", "20", "12", "21", "22"),
    ]


@pytest.mark.parametrize("stops", [0, 1])
def test_work_that_never_waits_is_done_in_order(stops: int) -> None:
    told = Told()
    assert asyncio.run(overlapping(told.work(number, stops) for number in range(3))) == [0, 1, 2]
    ends = [number for number, part in told.parts if part == str(stops)]
    assert ends == [0, 1, 2]


def test_nothing_comes_to_nothing() -> None:
    assert asyncio.run(overlapping(iter(()))) == []


def test_others_have_their_turn_between() -> None:
    turns: list[int] = []

    async def count(works: asyncio.Task[list[int]]) -> None:
        while not works.done():
            turns.append(1)
            await asyncio.sleep(0)

    async def both() -> None:
        works = asyncio.create_task(overlapping(Told().work(number) for number in range(5)))
        await count(works)

    asyncio.run(both())
    assert len(turns) >= 5


@pytest.mark.parametrize("fails", [(0, 2), (1, 0), (1, 2)])
def test_what_was_begun_is_closed_where_one_fails(fails: tuple[int, int]) -> None:
    told = Told(fails)
    with pytest.raises(ZeroDivisionError):
        asyncio.run(overlapping(told.work(number) for number in range(4)))
    begun = {number for number, part in told.parts if part == "0"}
    over = {number for number, part in told.parts if part in {"2", "closed"}}
    assert begun - {fails[0]} == over - {fails[0]}


def test_what_was_begun_is_closed_where_its_caller_leaves() -> None:
    told = Told()

    async def leave() -> None:
        works = asyncio.create_task(overlapping(told.work(number) for number in range(4)))
        await asyncio.sleep(0)
        works.cancel()
        await works

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(leave())
    assert told.parts[-1] == (1, "closed")


def test_a_result_is_there_once_all_parts_are_done() -> None:
    parts = Parts(Told().work(7))
    parts.go_on()
    assert parts.result() == parts.result() == [7]
    parts.go_on()
    parts.close()
    assert parts.result() == [7]
