"""Bad records, as careless senders make them: each way breaks one promise of the contract.

They work on the canonical JSON text of a good record, see `bdp_assets/ingest/encode.py`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import numpy as np

Spoiler = Callable[[bytes, np.random.Generator], bytes]
DUPLICATE, CONFLICT = "duplicate", "conflict"


def _broken_json(value: bytes, rng: np.random.Generator) -> bytes:
    return value[: rng.integers(1, len(value))]


def _negative_amount(value: bytes, _: np.random.Generator) -> bytes:
    return value.replace(b'"amount":', b'"amount":-', 1)


def _naive_timestamp(value: bytes, _: np.random.Generator) -> bytes:
    return re.sub(rb'("timestamp":"[^"]*)Z"', rb'\1"', value, count=1)


def _card_number(value: bytes, rng: np.random.Generator) -> bytes:
    number = _with_check_digit("4" + "".join(str(digit) for digit in rng.integers(0, 10, 14)))
    return re.sub(rb'"merchant_id":"[^"]*"', b'"merchant_id":"%s"' % number.encode(), value, count=1)


def _other_amount(value: bytes, _: np.random.Generator) -> bytes:
    return value.replace(b'"amount":', b'"amount":1', 1)


SPOILERS: Mapping[str, Spoiler] = {
    "broken_json": _broken_json,
    "negative_amount": _negative_amount,
    "naive_timestamp": _naive_timestamp,
    "card_number": _card_number,
}
"""Make a record that the contract refuses."""

REPEATERS: Mapping[str, Spoiler] = {DUPLICATE: lambda value, _: value, CONFLICT: _other_amount}
"""Send an earlier record again: the same body, or another one under the same id."""

BAD_KINDS = (*SPOILERS, *REPEATERS)


def _with_check_digit(digits: str) -> str:
    """Append the Luhn digit."""
    doubled = [int(d) * 2 if n % 2 == 0 else int(d) for n, d in enumerate(reversed(digits))]
    return digits + str(-sum(d // 10 + d % 10 for d in doubled) % 10)
