"""How much of everything the bench does in a round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`repeats` rounds after a warm-up: a backlog of `messages`, settled by `workers` processes.

    Then `seconds` at `rate` messages a second, which say how old a prediction is when it can be read.
    `history_days` fill the store and train the model.
    """

    repeats: int = 3
    messages: int = 60_000
    workers: int = 2
    rate: int = 1_000
    seconds: int = 20
    history_days: int = 60
