"""What the clients' errors have in common when a system is away."""

from __future__ import annotations

from typing import ClassVar


class Outage(Exception):  # noqa: N818 - a state of the world, not a defect
    """A system outside is away, or not ready, for now: the work at hand is sound, and can be redone."""

    reason: ClassVar[str]
    """For metrics."""
