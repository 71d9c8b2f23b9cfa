"""The one error that the local platform shows a person."""

from __future__ import annotations


class Problem(Exception):  # noqa: N818 - it is told, not thrown about
    """Something is in the way. `what` says what happened, `do` what the reader can do about it."""

    def __init__(self, what: str, do: str) -> None:
        super().__init__(f"{what}\n{do}")
        self.what = what
        self.do = do


class DiskFull(Problem):
    """The disk of BDP_HOME has no room. What was begun is stopped again: it could not go on for long."""
