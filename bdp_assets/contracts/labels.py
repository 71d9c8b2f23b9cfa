"""The one door of a label: bytes in, `Label` or `ContractError` out."""

from __future__ import annotations

import msgspec

from bdp_assets.contracts.codec import decode_label as _decode
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.notices import NOW, read_notice, timed
from bdp_assets.contracts.records import EpochMs, Label
from bdp_assets.contracts.rules import MAX_AHEAD_MS

_TIMES = ("known_at_ms", "ts_ms")


def decode_label(value: bytes | None, *, received_ms: int) -> Label:
    """Checks shape, card numbers and times; unknown fields are skipped.

    `received_ms` (UTC epoch milliseconds: the Kafka timestamp) is the clock: nothing is known before
    it happens, and one label from the future would let all of its merchant's past retire. Raises
    ContractError.
    """
    return _in_order(read_notice(value, _decode, _TIMES, received_ms))


class _Posted(Label, frozen=True, kw_only=True, forbid_unknown_fields=True):
    known_at_ms: EpochMs = NOW


_decode_posted = msgspec.json.Decoder(_Posted).decode


def decode_posted(value: bytes, *, received_ms: int) -> Label:
    """As `decode_label`, from a caller who need not say since when it is known: from now on.

    Unknown fields are refused: a misspelled time would be taken for none.
    """
    posted = read_notice(value, _decode_posted, _TIMES, received_ms)
    return _in_order(timed(posted, Label, "known_at_ms", received_ms))


def _in_order(label: Label) -> Label:
    """Features count a label from when it was known: too early a time would tell them the future."""
    if label.ts_ms is not None and label.known_at_ms < label.ts_ms - MAX_AHEAD_MS:
        raise ContractError(
            "out_of_range", "known_at_ms", "known_at_ms lies before ts_ms: it was not known by then."
        )
    return label
