"""The one door of an adjustment: bytes in, `Adjustment` or `ContractError` out."""

from __future__ import annotations

import msgspec

from bdp_assets.contracts.codec import decode_adjustment as _decode
from bdp_assets.contracts.notices import read_notice
from bdp_assets.contracts.records import Adjustment, EpochMs

_NOW = -1
_TIMES = ("ts_ms",)


def decode_adjustment(value: bytes | None, *, received_ms: int) -> Adjustment:
    """Checks shape, card numbers and time; unknown fields are skipped.

    `received_ms` (UTC epoch milliseconds: the Kafka timestamp) is the clock. Raises ContractError.
    """
    return read_notice(value, _decode, _TIMES, received_ms)


class _Posted(Adjustment, frozen=True, kw_only=True):
    ts_ms: EpochMs = _NOW


_decode_posted = msgspec.json.Decoder(_Posted).decode


def decode_posted_adjustment(value: bytes, *, received_ms: int) -> Adjustment:
    """As `decode_adjustment`, from a caller who need not say when it happened: now."""
    posted = read_notice(value, _decode_posted, _TIMES, received_ms)
    fields = msgspec.structs.asdict(posted)
    return Adjustment(**fields | ({"ts_ms": received_ms} if posted.ts_ms == _NOW else {}))
