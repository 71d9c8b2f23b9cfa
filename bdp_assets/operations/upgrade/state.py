"""One kind of state that has versions: what is there, what this code needs, and what is to be done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Verdict = Literal["current", "absent", "due", "by hand", "newer"]
"""`absent`: nothing is there yet, so nothing is old. `due`: `bdp upgrade` does it. `by hand`: it can not.
`newer`: a later version of the platform wrote it, and this one must not touch it."""


@dataclass(frozen=True)
class State:
    """`do` is a sentence for people; empty where nothing is to be done."""

    name: str
    found: str
    needed: str
    verdict: Verdict
    do: str = ""
