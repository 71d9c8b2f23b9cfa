"""Calls of one moment, answered together: most of what a call costs is done once, however many there are.

What has come by when the event loop is free again is answered next: under little load that is one call, under
much it is many. A call waits for company only where the moment before had some, and then for a millisecond at
most: callers who wait for their answers come back together, but one after the other. Two such groups may take
turns for ever, each coming while the other is answered: so now and then one waits for the other, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

LINGER_S = 0.001
"""The finest that the event loop's timers know."""
REUNION = 16
"""One in so many moments waits for those of the one before, too."""

AskedT = TypeVar("AskedT")
AnswerT = TypeVar("AnswerT")


class _Waiting(NamedTuple, Generic[AskedT, AnswerT]):
    asked: AskedT
    answer: asyncio.Future[AnswerT]


class Gathered(Generic[AskedT, AnswerT]):
    """Asks `answers` for at most `most` at once: one answer each, in order; what it raises is told to all."""

    def __init__(self, answers: Callable[[Sequence[AskedT]], Sequence[AnswerT]], most: int) -> None:
        self._answers = answers
        self._most = most
        self._waiting: list[_Waiting[AskedT, AnswerT]] = []
        self._expected, self._before, self._moments = 1, 0, 0
        self._next: asyncio.Handle | None = None

    async def ask(self, asked: AskedT) -> AnswerT:
        """The answer to one question. Raises what `answers` does."""
        return await self.put(asked)

    def put(self, asked: AskedT) -> asyncio.Future[AnswerT]:
        """Ask one question of the moment: its answer to come, or what `answers` raises."""
        waiting: _Waiting[AskedT, AnswerT]
        waiting = _Waiting(asked, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        if len(self._waiting) == self._expected:
            self._answer_soon()
        elif len(self._waiting) == 1:
            self._next = asyncio.get_running_loop().call_later(LINGER_S, self._answer)
        return waiting.answer

    def _answer_soon(self) -> None:
        if self._next is not None:
            self._next.cancel()
        self._next = asyncio.get_running_loop().call_soon(self._answer)

    def _expect(self, together: int) -> None:
        """How many the next moment waits for, after one with so many."""
        self._moments += 1
        reunites = self._moments % REUNION == 0 and together > 1
        self._expected = min(together + self._before, self._most) if reunites else together
        self._before = together

    def _answer(self) -> None:
        now, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        self._next = None
        self._expect(len(now))
        if self._waiting:
            self._answer_soon()
        try:
            answers = self._answers([one.asked for one in now])
        except Exception as error:  # noqa: BLE001 - each caller gets it, as if it had asked alone
            for one in now:
                if not one.answer.done():  # Its caller may have left.
                    one.answer.set_exception(error)
            return
        for one, answer in zip(now, answers, strict=True):
            if not one.answer.done():
                one.answer.set_result(answer)
