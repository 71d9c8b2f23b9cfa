"""What the doctor says of one thing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["ok", "warn", "fail"]


@dataclass(frozen=True)
class Finding:
    """`what` was seen; `do` says what to do about it and is empty when all is well."""

    name: str
    status: Status
    what: str
    do: str = ""
    latency_ms: float | None = None


def ok(name: str, what: str, latency_ms: float | None = None) -> Finding:
    return Finding(name, "ok", what, "", latency_ms)


def warn(name: str, what: str, do: str) -> Finding:
    return Finding(name, "warn", what, do)


def fail(name: str, what: str, do: str) -> Finding:
    return Finding(name, "fail", what, do)
