"""Processes that load one store side by side, as stream workers do: each with its customers and partition.

Cyclic garbage is collected when they say so only, as there (see `streaming.garbage`).
"""

from __future__ import annotations

import gc
import multiprocessing
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import Connection
from typing import NamedTuple

from bdp_assets.runtime.problems import Problem

_PATIENCE_S = 120.0


class Share(NamedTuple):
    """Client `number` of `of`."""

    number: int
    of: int


ALL = Share(0, 1)
Sides = dict[str, Callable[[], None]]
Prepare = Callable[[Share], Sides]
"""Runs in the client, which keeps what it made: it has to be picklable, its sides need not."""


class Clients:
    """Clients that are prepared, and wait."""

    def __init__(self, pipes: list[Connection]) -> None:
        self._pipes = pipes

    def seconds(self, side: str) -> float:
        """Run a side in all of them at once: the time from the start to the end of the last one."""
        began = time.perf_counter()
        for pipe in self._pipes:
            pipe.send(side)
        for pipe in self._pipes:
            _receive(pipe)
        return time.perf_counter() - began


@contextmanager
def clients(prepare: Prepare, count: int) -> Iterator[Clients]:
    """`count` processes; they are gone at the end."""
    spawning = multiprocessing.get_context("spawn")
    with ExitStack() as stack:
        pipes = []
        for number in range(count):
            ours, theirs = spawning.Pipe()
            todo = (prepare, Share(number, count), theirs)
            process = spawning.Process(target=_serve, args=todo, daemon=True)
            process.start()
            theirs.close()
            stack.callback(process.join, 5)
            stack.callback(ours.close)
            pipes.append(ours)
        for pipe in pipes:
            _receive(pipe)
        yield Clients(pipes)


def _serve(prepare: Prepare, share: Share, pipe: Connection) -> None:
    sides = prepare(share)
    gc.collect()
    gc.freeze()
    gc.disable()
    pipe.send("ready")
    while True:
        try:
            side = pipe.recv()
        except EOFError:
            return
        sides[side]()
        pipe.send("done")


def _receive(pipe: Connection) -> None:
    try:
        if not pipe.poll(_PATIENCE_S):
            raise Problem(f"A client of the bench was silent for {_PATIENCE_S:g} s.", "Is the machine busy?")
        pipe.recv()
    except EOFError as error:
        raise Problem("A client of the bench died.", "Its traceback is above.") from error
