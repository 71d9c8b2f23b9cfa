"""How much of everything the bench does in a round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`repeats` rounds after a warm-up: a backlog of `messages`, settled by `workers` processes.

    Then `seconds` at `rate` messages a second, which say how old a prediction is when it can be read.
    `history_days` of `customers` and `merchants` fill the store and train the model.
    """

    repeats: int = 3
    messages: int = 60_000
    workers: int = 6
    rate: int = 1_000
    seconds: int = 20
    history_days: int = 30
    customers: int = 10_000
    merchants: int = 5_000

    @property
    def total(self) -> int:
        """Messages of the whole bench."""
        return (self.repeats + 1) * self.messages + (self.seconds + 1) * self.rate
