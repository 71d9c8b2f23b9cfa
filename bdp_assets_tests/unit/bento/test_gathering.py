from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest

from bento.gathering import Gathered


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


def test_nobody_waits_for_company() -> None:
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
