"""Whether the objectives held: in each phase, so that a good hour does not hide a bad quarter."""

from __future__ import annotations

from dataclasses import dataclass

from bdp_assets.operations.load.slo import Objective
from bdp_assets.operations.load.tally import Tally


@dataclass(frozen=True)
class Judgement:
    """One objective in one phase."""

    objective: Objective
    phase: str
    calls: int
    bad: int

    @property
    def bad_share(self) -> float:
        return self.bad / self.calls if self.calls else 1.0

    @property
    def holds(self) -> bool:
        return self.bad_share <= self.objective.allowed


def judge(tally: Tally) -> list[Judgement]:
    """Every objective in every phase; one that an interrupted run never came to is not judged.

    A phase that was reached and has no calls fails: nothing was shown.
    """
    reached = [
        (phase, counts)
        for phase, counts in zip(tally.schedule.phases, tally.phases, strict=True)
        if counts.calls or phase.start_s <= tally.elapsed_s
    ]
    return [
        Judgement(objective, phase.name, counts.calls, counts.bad[objective.name])
        for phase, counts in reached
        for objective in tally.objectives
    ]


def holds(tally: Tally) -> bool:
    """Whether every objective did, in every phase."""
    return all(one.holds for one in judge(tally))
