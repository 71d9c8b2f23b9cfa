"""A token bucket in whole numbers: what `take.lua` does in the store, and one process alone without it.

A bucket holds a second's items, and gains them evenly. A call that wants more than it holds needs a full one
and leaves a debt that has to be paid off first: over time the rate holds, and no batch is too large for ever.
"""

from __future__ import annotations

from typing import NamedTuple

MILLION = 1_000_000
"""An item's parts; at a rate of r a second a bucket gains r of them each microsecond."""


class Bucket(NamedTuple):
    """Millionths of items (less than none: debt) at a time in microseconds."""

    stock: int
    at_us: int

    def gained(self, rate: int, now_us: int) -> int:
        """What is in it now. A clock that goes back gains nothing, until it goes on."""
        return min(rate * MILLION, self.stock + max(0, now_us - self.at_us) * rate)


class Taken(NamedTuple):
    """What came of a wish for items, and what is left in the bucket."""

    allowed: bool
    stock: int
    rate: int
    wanted: int

    @property
    def headers(self) -> dict[str, str]:
        """`RateLimit-*`, and for a refused call when it would be let in; whole seconds."""
        full = self.rate * MILLION
        headers = {
            "RateLimit-Limit": str(self.rate),
            "RateLimit-Remaining": str(max(0, self.stock // MILLION)),
            "RateLimit-Reset": str(self._seconds(full - self.stock)),
        }
        if not self.allowed:
            headers["Retry-After"] = str(self._seconds(min(self.wanted * MILLION, full) - self.stock))
        return headers

    def _seconds(self, parts: int) -> int:
        return -(-parts // (self.rate * MILLION))


def take(bucket: Bucket, rate: int, wanted: int, now_us: int) -> tuple[Bucket, Taken]:
    """The bucket afterwards, and what came of it."""
    full = rate * MILLION
    stock = bucket.gained(rate, now_us)
    if stock < min(wanted * MILLION, full):
        # Else it would gain nothing until the clock is where it was before it went back.
        left = bucket if bucket.at_us <= now_us else Bucket(stock, now_us)
        return left, Taken(False, stock, rate, wanted)
    stock -= wanted * MILLION
    return Bucket(stock, now_us), Taken(True, stock, rate, wanted)
