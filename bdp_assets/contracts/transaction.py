"""The one door of a transaction: bytes in, `ValidatedTransaction` or `ContractError` out."""

from __future__ import annotations

from hashlib import blake2b
from math import nan
from struct import Struct as Layout

from bdp_assets.contracts import rules, wire
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.money import RATES_VERSION, to_base_minor
from bdp_assets.contracts.records import Door, ValidatedTransaction
from bdp_assets.contracts.refusal import MAX_VALUE_BYTES, refusal
from bdp_assets.contracts.wire import RawTransaction

__all__ = ["MAX_VALUE_BYTES", "ContractError", "RawTransaction", "decode_transaction"]

_NUMBERS = Layout("<qqdd").pack


def decode_transaction(
    value: bytes | None, *, received_ms: int, door: Door = Door.STREAM
) -> ValidatedTransaction:
    """Checks the shape, then the semantic rules, and returns the typed record.

    `received_ms` (UTC epoch milliseconds: the message's Kafka timestamp) is the clock of the time bounds,
    so that a replay gives the same answer. Raises ContractError.
    """
    read = wire.read(value) if value is not None and len(value) <= MAX_VALUE_BYTES else None
    if value is None or read is None:
        raise refusal(value)
    judged = rules.judge(value, read, received_ms)
    raw, currency, amount_minor = read.raw, judged.currency, judged.amount_minor
    # In the order of the class: by their names, this takes as long as parsing the JSON.
    return ValidatedTransaction(
        raw.transaction_id,
        raw.customer_id,
        raw.timestamp,
        judged.ts_ms,
        read.amount,
        currency,
        amount_minor,
        to_base_minor(amount_minor, currency),
        RATES_VERSION,
        _body_hash(read, judged),
        raw.merchant_id,
        raw.merchant_category,
        raw.channel,
        raw.country,
        raw.latitude,
        raw.longitude,
        raw.device_id,
        raw.ip,
        judged.marks,
        door,
    )


def _body_hash(read: wire.Read, judged: rules.Judged) -> str:
    """Hash of the meaning: instant and money as integers, defaults filled in, the rest as sent."""
    latitude, longitude = read.raw.latitude, read.raw.longitude
    # -0.0 as 0.0, and absent as NaN, which no record can hold.
    numbers = _NUMBERS(
        judged.ts_ms,
        judged.amount_minor,
        nan if latitude is None else latitude + 0.0,
        nan if longitude is None else longitude + 0.0,
    )
    _, _, _, names = read.strings.split(wire.SEPARATOR, 3)
    return blake2b(numbers + f"{judged.currency}\x1f{names}".encode(), digest_size=16).hexdigest()
