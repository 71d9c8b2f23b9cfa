"""The one door of an adjustment: bytes in, `Adjustment` or `ContractError` out."""

from __future__ import annotations

import msgspec

from bdp_assets.contracts.codec import decode_adjustment as _decode
from bdp_assets.contracts.notices import NOW, read_notice, timed
from bdp_assets.contracts.records import Adjustment, EpochMs

_TIMES = ("ts_ms",)


def decode_adjustment(value: bytes | None, *, received_ms: int) -> Adjustment:
    """Checks shape, card numbers and time; unknown fields are skipped.

    `received_ms` (UTC epoch milliseconds: the Kafka timestamp) is the clock. Raises ContractError.
    """
    return read_notice(value, _decode, _TIMES, received_ms)


class _Posted(Adjustment, frozen=True, kw_only=True, forbid_unknown_fields=True):
    ts_ms: EpochMs = NOW


_decode_posted = msgspec.json.Decoder(_Posted).decode


def decode_posted_adjustment(value: bytes, *, received_ms: int) -> Adjustment:
    """As `decode_adjustment`, from a caller who need not say when it happened: now.

    Unknown fields are refused: a misspelled time would be taken for none.
    """
    posted = read_notice(value, _decode_posted, _TIMES, received_ms)
    return timed(posted, Adjustment, "ts_ms", received_ms)
