"""Whether programs answer: asked side by side, in the background, so that nobody waits for a silent one."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event, Thread

from bdp_assets.runtime.parts import Program
from bdp_assets.settings import Settings

AGAIN_S, AGAIN_SICK_S = 2.0, 0.5
"""Time between two questions to a program that answers well, and to one that does not."""


@dataclass
class _Question:
    pid: int
    asked: float
    answered: Event
    healthy: bool = False


class Pulse:
    """Remembers what each program answered last. Questions to processes that are gone do not count."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._asked: dict[str, _Question] = {}
        self._known: dict[str, _Question] = {}

    def beats(self, program: Program, pid: int) -> bool | None:
        """Whether the process with that pid answered well the last time; None: it has not answered yet.

        Asks anew when the last answer is of some age.
        """
        question = self._asked.get(program.name)
        if question and question.answered.is_set():
            self._known[program.name] = question
        if question is None or question.pid != pid or self._is_old(question):
            self._ask(program, pid)
        known = self._known.get(program.name)
        return known.healthy if known and known.pid == pid else None

    def wait(self, patience_s: float) -> None:
        """Until all that were asked have answered, or the patience is over."""
        deadline = time.monotonic() + patience_s
        for question in self._asked.values():
            question.answered.wait(max(0.0, deadline - time.monotonic()))

    @staticmethod
    def _is_old(question: _Question) -> bool:
        due_s = AGAIN_S if question.healthy else AGAIN_SICK_S
        return question.answered.is_set() and time.monotonic() - question.asked > due_s

    def _ask(self, program: Program, pid: int) -> None:
        question = self._asked[program.name] = _Question(pid, time.monotonic(), Event())

        def ask() -> None:
            try:
                question.healthy = program.healthy(self._settings)
            finally:
                question.answered.set()

        # A daemon: the command may end while a silent program still has not answered.
        Thread(target=ask, name=f"pulse-{program.name}", daemon=True).start()
