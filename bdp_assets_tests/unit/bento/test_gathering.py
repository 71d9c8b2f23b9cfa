from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from bento.gathering import REUNION, Gathered


class Answers:
    """Doubles what it is asked, and remembers what it was asked together."""

    def __init__(self) -> None:
        self.asked: list[list[int]] = []

    def __call__(self, asked: Sequence[int]) -> list[int]:
        self.asked.append(list(asked))
        if 0 in asked:
            raise LookupError("nobody doubles nothing")
        return [2 * one for one in asked]


def at_once(*asked: Awaitable[Any]) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return list(await asyncio.gather(*asked, return_exceptions=True))

    return asyncio.run(all_of_them())


def test_what_is_asked_in_one_moment_is_answered_together_and_each_gets_its_own() -> None:
    answers = Answers()
    gathered = Gathered(answers, 10)
    assert at_once(*map(gathered.ask, (3, 1, 2))) == [6, 2, 4]
    assert answers.asked == [[3, 1, 2]]


async def passes() -> None:
    """What the event loop does without the time that a timer takes."""
    for _ in range(5):
        await asyncio.sleep(0)


def test_after_a_moment_with_company_the_next_waits_for_as_many() -> None:
    answers = Answers()
    gathered = Gathered(answers, 10)

    async def two_twice() -> list[int]:
        await asyncio.gather(gathered.ask(1), gathered.ask(2))
        third = asyncio.create_task(gathered.ask(3))
        await passes()
        assert not third.done()
        return [await gathered.ask(4), await third]

    assert asyncio.run(two_twice()) == [8, 6]
    assert answers.asked == [[1, 2], [3, 4]]


def test_one_moment_in_so_many_waits_for_those_of_the_one_before_too() -> None:
    """Two groups of two that take turns become one of four."""
    answers = Answers()
    gathered = Gathered(answers, 10)

    async def two_groups() -> None:
        for _ in range(REUNION):
            await asyncio.gather(gathered.ask(1), gathered.ask(2))
        first = [asyncio.create_task(gathered.ask(number)) for number in (1, 2)]
        await passes()
        assert not any(one.done() for one in first)
        await asyncio.gather(*first, gathered.ask(3), gathered.ask(4))

    asyncio.run(two_groups())
    assert answers.asked == [[1, 2]] * REUNION + [[1, 2, 3, 4]]


def test_who_waits_in_vain_is_answered_alone_and_the_one_after_does_not_wait() -> None:
    answers = Answers()
    gathered = Gathered(answers, 10)

    async def two_then_one_by_one() -> int:
        await asyncio.gather(gathered.ask(1), gathered.ask(2))
        assert await gathered.ask(3) == 6
        fourth = asyncio.create_task(gathered.ask(4))
        await passes()
        assert fourth.done()
        return await fourth

    assert asyncio.run(two_then_one_by_one()) == 8
    assert answers.asked == [[1, 2], [3], [4]]


def test_who_was_alone_waits_for_nobody() -> None:
    answers = Answers()
    gathered = Gathered(answers, 10)

    async def one_after_the_other() -> list[int]:
        return [await gathered.ask(1), await gathered.ask(2)]

    assert asyncio.run(one_after_the_other()) == [2, 4]
    assert answers.asked == [[1], [2]]


def test_more_than_may_be_together_are_answered_in_turns() -> None:
    answers = Answers()
    gathered = Gathered(answers, 2)
    assert at_once(*map(gathered.ask, (1, 2, 3, 4, 5))) == [2, 4, 6, 8, 10]
    assert answers.asked == [[1, 2], [3, 4], [5]]


def test_what_fails_is_told_to_each_that_asked_then_and_to_nobody_after() -> None:
    gathered = Gathered(Answers(), 10)
    assert [type(one) for one in at_once(*map(gathered.ask, (1, 0)))] == [LookupError, LookupError]
    assert at_once(gathered.ask(1)) == [2]


def test_one_that_leaves_does_not_harm_the_others() -> None:
    gathered = Gathered(Answers(), 10)

    async def with_one_who_leaves(asked: int) -> int:
        leaving = asyncio.create_task(gathered.ask(asked))
        staying = asyncio.create_task(gathered.ask(2))
        await asyncio.sleep(0)
        leaving.cancel()
        with pytest.raises(asyncio.CancelledError):
            await leaving
        return await staying

    assert asyncio.run(with_one_who_leaves(1)) == 4
    with pytest.raises(LookupError):
        asyncio.run(with_one_who_leaves(0))
