"""How far a long piece of work is, as one line of its log: for people, and read back by a progress bar."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

Say = Callable[[str], None]
_LINE = re.compile(r"(?P<doing>.+) \((?P<done>[\d,]+) of (?P<total>[\d,]+) (?P<unit>[a-z ]+)\)")


@dataclass(frozen=True)
class Milestone:
    """`done` of `total` units are behind, and `doing` says what comes now."""

    doing: str
    done: int
    total: int
    unit: str

    def __str__(self) -> str:
        return f"{self.doing} ({self.done:,} of {self.total:,} {self.unit})"

    @classmethod
    def read(cls, line: str) -> Milestone | None:
        """The milestone that a line tells; None when it tells something else."""
        found = _LINE.fullmatch(line)
        if found is None:
            return None
        done, total = (int(found[group].replace(",", "")) for group in ("done", "total"))
        return cls(found["doing"], done, total, found["unit"])


def phases(names: Sequence[str], say: Say) -> Say:
    """Wraps `say`: called with one of the names as that phase begins, it tells the milestone."""
    return lambda name: say(str(Milestone(name, names.index(name), len(names), "phases")))


def quietly(_line: str) -> None:
    """A Say that says nothing."""
