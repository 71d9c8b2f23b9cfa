"""A part of the platform, asked again and again in the background: a silent one holds up nobody."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Generic, TypeVar

from bdp_assets.clients.dagster import ControlPlaneUnavailable
from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone

T = TypeVar("T")
WINDOW_S = 15.0
"""Rates are those of so long ago until now: short enough to see a change, long enough to be steady."""


class NotThere(Exception):  # noqa: N818 - reads as what it is
    """A part can not be asked; the text says why and what to do."""


AWAY = (NotThere, ControlPlaneUnavailable, KafkaUnavailable, KafkaRefused, OffsetsGone)


@dataclass(frozen=True)
class Look(Generic[T]):
    """What a part said. `at_s`: when it had said it, on the clock that never jumps (seconds)."""

    at_s: float
    value: T


class Source(Generic[T]):
    """Looks of the last WINDOW_S seconds, oldest first; none, and `away` says why, while the part is away."""

    def __init__(self, ask: Callable[[], T], every_s: float) -> None:
        self._ask, self._every_s = ask, every_s
        self._question: _Question[T] | None = None
        self.looks: deque[Look[T]] = deque()
        self.away = ""

    @property
    def has_answered(self) -> bool:
        return bool(self.looks or self.away)

    def turn(self) -> None:
        """Take an answer that came, and ask anew where it is time. Raises RuntimeError: a defect of ours."""
        if self._question is not None and self._question.ended.is_set():
            self._take(self._question)
        if self._question is None or (
            self._question.ended.is_set() and time.monotonic() - self._question.asked_s >= self._every_s
        ):
            self._question = _Question(self._ask)

    def wait(self, patience_s: float) -> None:
        """Until the question that is open was answered, or the patience is over."""
        if self._question is not None:
            self._question.ended.wait(patience_s)

    def _take(self, question: _Question[T]) -> None:
        if question.taken:
            return
        question.taken = True
        if question.look is None:
            if not question.away:
                raise RuntimeError("A part could not be asked because of a defect: see the error above.")
            self.looks.clear()
        else:
            self.looks.append(question.look)
            while len(self.looks) > 2 and question.look.at_s - self.looks[1].at_s >= WINDOW_S:
                self.looks.popleft()
        self.away = question.away


class _Question(Generic[T]):
    def __init__(self, ask: Callable[[], T]) -> None:
        self.asked_s = time.monotonic()
        self.ended = Event()
        self.taken = False
        self.away = ""
        self.look: Look[T] | None = None
        # A daemon: the command may end while a silent part still has not answered.
        self._thread = Thread(target=self._work, args=(ask,), daemon=True)
        self._thread.start()

    def _work(self, ask: Callable[[], T]) -> None:
        try:
            value = ask()
            self.look = Look(time.monotonic(), value)
        except AWAY as error:
            self.away = str(error)
        finally:
            self.ended.set()
