"""W3C trace context, `00-<trace id>-<span id>-<flags>`: how traces travel, in headers of HTTP and Kafka."""

from __future__ import annotations

import random
import re
import secrets
from typing import NamedTuple

_FORM = re.compile(r"00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")
_SAMPLED = frozenset("13579bdf")
"""Last digits of the flags whose lowest bit is set."""


class Ids(NamedTuple):
    """Of a trace (128 bits) and a span in it (64 bits)."""

    trace: int
    span: int


def is_well_formed(sent: str) -> bool:
    """Ids of zeros alone are not: the standard has them for 'none'."""
    return _FORM.fullmatch(sent) is not None


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


def new(*, sampled: bool) -> str:
    """Of a trace that begins here."""
    return context(secrets.token_hex(24), sampled=sampled)
