"""Goals, and whether the figures meet them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Goal(NamedTuple):
    """A figure must be `most` or less, `least` or more; a value on the bound meets it."""

    most: float | None = None
    least: float | None = None

    def met(self, value: float) -> bool:
        """NaN meets no goal."""
        return (self.most is None or value <= self.most) and (self.least is None or value >= self.least)


def figure(sections: Mapping[str, Any], path: str) -> float:
    """The number at a dotted path. Raises KeyError: a goal or a plot names what was not measured."""
    found: Any = sections
    for name in path.split("."):
        found = found[name]
    return float(found)


def judged(sections: Mapping[str, Any], goals: Mapping[str, Goal]) -> dict[str, dict[str, float | bool]]:
    """For each goal its bounds and whether it is met."""
    return {path: _judgement(goal, figure(sections, path)) for path, goal in goals.items()}


def _judgement(goal: Goal, value: float) -> dict[str, float | bool]:
    bounds = {name: bound for name, bound in (("max", goal.most), ("min", goal.least)) if bound is not None}
    return {**bounds, "met": goal.met(value)}
