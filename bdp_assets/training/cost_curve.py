"""What a model's test window would have cost with a plain threshold, whatever it is, beside its policy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs
from bdp_assets.decisions.policy_columns import APPROVE, DECLINE, REVIEW, cost_of
from bdp_assets.training.outcomes import Outcomes

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class CostCurve:
    """Arrays by ascending threshold, float64 [m]: realised cost a day (minor units) where everything at or
    above it is declined or reviewed, and how many that is a day."""

    thresholds: Doubles
    declining: Doubles
    reviewing: Doubles
    flagged_a_day: Doubles


def cost_curve(rows: Outcomes, costs: Costs) -> CostCurve:
    """At each probability that occurs, and above all of them, where everything is approved."""
    order = np.argsort(rows.probability, kind="stable")
    probability = rows.probability[order]
    first = np.flatnonzero(np.diff(probability, prepend=-1.0))
    below = _below(rows, APPROVE, costs, order)
    at = np.append(first, len(probability))
    return CostCurve(
        thresholds=np.append(probability[first], 1.0),
        declining=(below + _above(rows, DECLINE, costs, order))[at] / rows.days,
        reviewing=(below + _above(rows, REVIEW, costs, order))[at] / rows.days,
        flagged_a_day=(len(probability) - at) / rows.days,
    )


def _below(rows: Outcomes, decision: int, costs: Costs, order: NDArray[np.intp]) -> Doubles:
    """Sums over the rows before each position, float64 [n + 1]."""
    return np.concatenate([[0.0], np.cumsum(_each(rows, decision, costs)[order])])


def _above(rows: Outcomes, decision: int, costs: Costs, order: NDArray[np.intp]) -> Doubles:
    """Sums over the rows from each position on, float64 [n + 1]."""
    sums = _below(rows, decision, costs, order)
    return np.asarray(sums[-1] - sums)


def _each(rows: Outcomes, decision: int, costs: Costs) -> Doubles:
    everybody = np.full(len(rows.probability), decision, dtype=np.int8)
    return cost_of(everybody, rows.fraud.astype(np.float64), rows.amounts, costs)
