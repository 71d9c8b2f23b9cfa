"""How much of everything the bench does in a round."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """`repeats` rounds; before the first, `sized` calls to measure their traffic and `warm_up` of each side.

    A round is `calls` of each side, one by one; later, `batches` micro-batches of `batch` transactions
    from each of `clients` processes: a single one would leave the server waiting while it computes.
    """

    repeats: int = 5
    sized: int = 200
    warm_up: int = 500
    calls: int = 2_000
    batch: int = 2_000
    batches: int = 5
    clients: int = 3
