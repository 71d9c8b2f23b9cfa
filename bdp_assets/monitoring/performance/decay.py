"""When a model ranks worse than it did when it was registered: by more than a bound, and not by chance."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

LEAST_FRAUDS = 30
"""With fewer, the interval of an average precision says little: the model is not judged."""


@dataclass(frozen=True)
class Decay:
    """Average precision of a model that decided, beside that of its own test as the registry has it."""

    as_of: date
    model_version: str
    registered: float
    matured: float
    low: float
    high: float
    """95% interval of `matured` (bootstrap over customers)."""
    bound: float
    """Share of `registered` that may be lost."""
    transactions: int
    frauds: int

    @property
    def least(self) -> float:
        """The average precision from which on nothing is proposed."""
        return (1.0 - self.bound) * self.registered

    @property
    def is_decayed(self) -> bool:
        """Even the upper end of the interval is below what may be lost."""
        return self.high < self.least

    @property
    def says(self) -> str:
        verdict = "is below" if self.is_decayed else "is not below"
        return (
            f"as of {self.as_of}, model {self.model_version} has an average precision of {self.matured:.3f} "
            f"(95% interval {self.low:.3f} to {self.high:.3f}) on {self.transactions:,} matured transactions "
            f"with {self.frauds:,} frauds: that {verdict} {self.least:.3f}, which is its registered "
            f"{self.registered:.3f} less {self.bound:.0%}"
        )
