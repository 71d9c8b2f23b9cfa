"""What decisions made of transactions whose labels are due: counts, rates, money."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs
from bdp_assets.decisions.policy_columns import APPROVE, DECLINE, REVIEW, Decisions

Bools = NDArray[np.bool_]
Doubles = NDArray[np.float64]


@dataclass(frozen=True)
class Counts:
    """Flagged is what was reviewed or declined. Money is in minor units of the base currency."""

    transactions: int
    frauds: int
    flagged: int
    frauds_flagged: int
    saved_minor: int
    """Amounts of frauds that were flagged."""
    lost_minor: int
    """Amounts of frauds that were approved."""
    spent_minor: int
    """What the reviews and the declines of good transactions cost; with `lost_minor` the realised cost."""

    @property
    def precision(self) -> float | None:
        """None where nothing was flagged."""
        return _share(self.frauds_flagged, self.flagged)

    @property
    def recall(self) -> float | None:
        """None without fraud."""
        return _share(self.frauds_flagged, self.frauds)

    @property
    def false_positive_rate(self) -> float | None:
        """Of the good transactions those that were flagged; None without any."""
        return _share(self.flagged - self.frauds_flagged, self.transactions - self.frauds)


def count(decided: Decisions, fraud: Bools, amount_minor: NDArray[np.int64], costs: Costs) -> Counts:
    """Of n rows: positions in `Decision` (int8 [n]), what became of them, and what each was about."""
    flagged = decided != APPROVE
    false_declines = int(((decided == DECLINE) & ~fraud).sum())
    reviews = int((decided == REVIEW).sum())
    return Counts(
        transactions=len(decided),
        frauds=int(fraud.sum()),
        flagged=int(flagged.sum()),
        frauds_flagged=int((flagged & fraud).sum()),
        saved_minor=int(amount_minor[flagged & fraud].sum()),
        lost_minor=int(amount_minor[~flagged & fraud].sum()),
        spent_minor=reviews * costs.review_minor + false_declines * costs.false_decline_minor,
    )


def brier(probability: Doubles, fraud: Bools) -> float:
    """Mean squared distance of the probability (float64 [n], n > 0) to what happened, 0 or 1."""
    return float(np.mean((probability - fraud) ** 2))


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
