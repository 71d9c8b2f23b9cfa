"""What is counted: the windows, the dimensions and the one threshold. All else derives from here.

A window's figures are what was counted under its name, so one that changes takes a new name.
"""

from __future__ import annotations

from dataclasses import dataclass

from bdp_assets.features.times import HOUR, MINUTE


@dataclass(frozen=True)
class Window:
    """Windows of `size_ms`, one every `hop_ms`: tumbling where both are equal, else each overlaps the next.

    They begin at multiples of the hop since 1970 (UTC); the start is included, the end is not.
    """

    name: str
    size_ms: int
    hop_ms: int
    grace_ms: int
    """A transaction is late when its partition had come to the window's end and this much further."""

    def __post_init__(self) -> None:
        if self.size_ms % self.hop_ms:
            raise ValueError(f"{self.name}: the size must be a multiple of the hop")


WINDOWS = (
    Window("tumbling_1m", MINUTE, hop_ms=MINUTE, grace_ms=2 * MINUTE),
    Window("tumbling_1h", HOUR, hop_ms=HOUR, grace_ms=10 * MINUTE),
    Window("hopping_1h_10m", HOUR, hop_ms=10 * MINUTE, grace_ms=10 * MINUTE),
)

DIMENSIONS = ("merchant_category", "country", "channel")
"""Fields of a transaction. One that lacks a field does not count there."""

HIGH_VALUE_BASE_MINOR = 100_000
"""A transaction of this amount or more is of high value; minor units of the base currency."""
