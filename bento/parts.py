"""Work that stops in between, so that others get on with theirs."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterable
from contextlib import ExitStack
from contextvars import copy_context
from typing import Generic, TypeVar

ResultT = TypeVar("ResultT")
Work = Generator[None, None, ResultT]
"""Yields wherever it can wait."""


class Parts(Generic[ResultT]):
    """Work of which one part is done after the other, each in the same context, whoever asks for it."""

    def __init__(self, work: Work[ResultT]) -> None:
        self._work = work
        self._run = copy_context().run
        self._results: list[ResultT] = []

    def go_on(self) -> None:
        """Do one part, unless all is done. Raises what the work does."""
        if not self._results:
            try:
                self._run(next, self._work)
            except StopIteration as end:
                self._results.append(end.value)

    def result(self) -> ResultT:
        """Do what is left."""
        while not self._results:
            self.go_on()
        return self._results[0]

    def close(self) -> None:
        """Nobody asks for what is left."""
        self._run(self._work.close)


async def overlapping(works: Iterable[Work[list[ResultT]]]) -> list[ResultT]:
    """What all of them come to, one after the other; others have their turn between.

    Each one begins after the second part of the one before, and before its rest: what the first part
    set going elsewhere gets done meanwhile. Where one fails, what was begun is closed.
    """
    results: list[ResultT] = []
    before: Parts[list[ResultT]] | None = None
    with ExitStack() as begun:
        for work in works:
            parts = Parts(work)
            begun.callback(parts.close)
            if before is not None:
                before.go_on()
            parts.go_on()
            if before is not None:
                results += before.result()
                await asyncio.sleep(0)
            before = parts
        if before is not None:
            results += before.result()
    return results
