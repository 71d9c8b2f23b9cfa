"""How far long work is, for whoever shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True)
class Bar:
    """Something under way. `name` stays, `doing` changes from phase to phase.

    `total` None: how much there is to do is not known.
    """

    name: str
    doing: str = ""
    done: int = 0
    total: int | None = None
    unit: str = ""


class Screen(Protocol):
    """Where progress is shown."""

    def line(self, text: str) -> None:
        """Something that stays to be read."""

    def bars(self, bars: Sequence[Bar]) -> None:
        """All that is under way, in the place of what was there before."""
