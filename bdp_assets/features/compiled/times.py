"""Times down to their tiles."""

from __future__ import annotations

from bdp_assets.features.compiled.how import INT, compiled


@compiled(INT(INT, INT), borrows=True)
def floored(time: int, hop: int) -> int:
    """A time down to a whole multiple of `hop`, or as it is where that is 0."""
    return time - time % hop if hop else time
