"""What became of each call, counted by the phase that it was due in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from bdp_assets.operations.load.histogram import Histogram
from bdp_assets.operations.load.schedule import Schedule
from bdp_assets.operations.load.slo import Objective


class Outcome(NamedTuple):
    """`name`: for the table. `right`: as a caller wants it. `served`: answered, and not by a 5xx."""

    name: str
    right: bool
    served: bool


NOT_SENT = Outcome("not sent", right=False, served=False)
"""It was due, but nothing was free to send it until the run was over."""


@dataclass
class Counts:
    """Of some calls. Latency runs from when a call was due; `sent_late` is the part before it was sent."""

    latency: Histogram = field(default_factory=Histogram)
    sent_late: Histogram = field(default_factory=Histogram)
    outcomes: Counter[str] = field(default_factory=Counter)
    bad: Counter[str] = field(default_factory=Counter)
    """Objective -> calls that are bad by it."""
    right: int = 0
    last_s: float = 0.0
    """When the last answer came, seconds since the start of the run."""

    @property
    def calls(self) -> int:
        return self.latency.count

    def merge(self, other: Counts) -> None:
        """Have what the other has, too."""
        self.latency.merge(other.latency)
        self.sent_late.merge(other.sent_late)
        self.outcomes += other.outcomes
        self.bad += other.bad
        self.right += other.right
        self.last_s = max(self.last_s, other.last_s)


class Tally:
    """Counts of each phase, and of the time since somebody last looked. For one thread."""

    def __init__(self, schedule: Schedule, objectives: Sequence[Objective]) -> None:
        self.schedule, self.objectives = schedule, objectives
        self.phases = [Counts() for _ in schedule.phases]
        self.elapsed_s = 0.0
        """Of the schedule; less than all of it where the run was interrupted."""
        self._recent = Counts()

    def sent(self, number: int, late_s: float) -> None:
        self.phases[self.schedule.phase_of(number)].sent_late.add(late_s)
        self._recent.sent_late.add(late_s)

    def ended(self, number: int, latency_s: float, outcome: Outcome) -> None:
        """A call has its answer, or never will: then `latency_s` is how long it has waited."""
        at_s = float(self.schedule.times[number]) + latency_s
        for counts in (self.phases[self.schedule.phase_of(number)], self._recent):
            counts.latency.add(latency_s)
            counts.outcomes[outcome.name] += 1
            counts.right += outcome.right
            counts.last_s = max(counts.last_s, at_s)
            for objective in self.objectives:
                counts.bad[objective.name] += _is_bad(objective, latency_s, outcome)

    def total(self) -> Counts:
        whole = Counts()
        for counts in self.phases:
            whole.merge(counts)
        return whole

    def recent(self) -> Counts:
        """What came since the last call of this."""
        recent, self._recent = self._recent, Counts()
        return recent


def _is_bad(objective: Objective, latency_s: float, outcome: Outcome) -> bool:
    if objective.within_s is None:
        return not outcome.served
    return not outcome.right or latency_s > objective.within_s
