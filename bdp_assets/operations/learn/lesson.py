"""What a lesson is, and what may be missing when it is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from bdp_assets.settings import Settings


class Level(StrEnum):
    BEGINNER = "beginner"
    INTERMEDIATE = "intermediate"
    ADVANCED = "advanced"


@dataclass(frozen=True)
class Missing:
    """Something that a lesson builds and that is not there; `step`: its number on the lesson's page."""

    what: str
    step: int


Look = Callable[[Settings], Iterator[Missing]]
"""Looks at the platform itself, never at a note that a lesson was done. Raises what its clients raise."""


@dataclass(frozen=True)
class Lesson:
    """`name`: its page is `docs/learn/NN-name.md`; `built`: what the learner has at its end."""

    number: int
    level: Level
    name: str
    title: str
    built: str
    look: Look

    @property
    def page(self) -> str:
        """Relative to the checkout."""
        return f"docs/learn/{self.number:02}-{self.name}.md"


def folder(settings: Settings) -> Path:
    """Where learners keep what they write."""
    return settings.home / "learn"
