"""Scored transactions and what became of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs
from bdp_assets.decisions.policy_columns import Decisions, cost_of

Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Outcomes:
    """Scored rows and what became of them.

    Args:
        probability: float64 [n]; amounts: minor units, float64 [n]; fraud: bool [n]; days: that have rows.
    """

    probability: Doubles
    amounts: Doubles
    fraud: NDArray[np.bool_]
    days: int

    def cost_a_day(self, decided: Decisions, costs: Costs) -> float:
        """Realised, in minor units."""
        cost = cost_of(decided, self.fraud.astype(np.float64), self.amounts, costs)
        return float(cost.sum()) / self.days
