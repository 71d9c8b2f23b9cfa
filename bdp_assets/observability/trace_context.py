"""W3C trace context, `00-<trace id>-<span id>-<flags>`: how traces travel, in headers of HTTP and Kafka."""

from __future__ import annotations

import random
import secrets
from typing import NamedTuple

TRACE_LETTERS, SPAN_LETTERS = 0xA0000000000A0000000000A00000000A, 0xA000000A0000000A
"""Bits that all ids made here have: these hex digits are a, b, e or f, so none looks like a card number.

A trace does not go on under what does (`contracts.headers`). Letters at both ends: nor do two side by side.
"""
_SAMPLED = frozenset("13579bdf")
"""Last digits of the flags whose lowest bit is set."""


class Ids(NamedTuple):
    """Of a trace (128 bits) and a span in it (64 bits)."""

    trace: int
    span: int


def is_sampled(traceparent: str) -> bool:
    """Whether who sent it says that this trace is recorded."""
    return traceparent[-1] in _SAMPLED


def ids(traceparent: str) -> Ids:
    """Of a well-formed one."""
    return Ids(int(traceparent[3:35], 16), int(traceparent[36:52], 16))


def context(digits: str, *, sampled: bool) -> str:
    """Of a trace id and a span id, 48 hex digits together."""
    return f"00-{digits[:32]}-{digits[32:]}-{int(sampled):02}"


def draw(share: float) -> bool:
    """Whether a trace that begins here is recorded, where a share of them is."""
    return random.random() < share  # noqa: S311 - no secret


def begun(bits: int, *, sampled: bool) -> str:
    """Of a trace that begins here, by 192 bits that no other has."""
    return context(f"{bits | TRACE_LETTERS << 64 | SPAN_LETTERS:048x}", sampled=sampled)


def new(*, sampled: bool) -> str:
    """Of a trace that begins here."""
    return begun(secrets.randbits(192), sampled=sampled)
