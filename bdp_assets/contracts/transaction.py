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
    facts = _read(value, received_ms)
    flags = rules.judge(facts)
    raw, currency, amount_minor = facts.raw, facts.currency, facts.amount_minor
    # In the order of the class: by their names, this takes as long as parsing the JSON.
    return ValidatedTransaction(
        raw.transaction_id,
        raw.customer_id,
        raw.timestamp,
        facts.ts_ms,
        facts.amount,
        currency,
        amount_minor,
        to_base_minor(amount_minor, currency),
        RATES_VERSION,
        _body_hash(facts),
        raw.merchant_id,
        raw.merchant_category,
        raw.channel,
        raw.country,
        raw.latitude,
        raw.longitude,
        raw.device_id,
        raw.ip,
        flags,
        door,
    )


def _read(value: bytes | None, received_ms: int) -> rules.Facts:
    """Facts of a value whose shape is right; raises the refusal of any other."""
    read = wire.read(value) if value is not None and len(value) <= MAX_VALUE_BYTES else None
    if value is None or read is None:
        raise refusal(value)
    raw, amount, strings = read
    return rules.Facts(value, raw, amount, strings, received_ms)


def _body_hash(facts: rules.Facts) -> str:
    """Hash of the meaning: instant and money as integers, defaults filled in, the rest as sent."""
    latitude, longitude = facts.raw.latitude, facts.raw.longitude
    _, _, _, names = facts.strings.split(wire.SEPARATOR, 3)
    # -0.0 as 0.0, and absent as NaN, which no record can hold.
    numbers = _NUMBERS(
        facts.ts_ms,
        facts.amount_minor,
        nan if latitude is None else latitude + 0.0,
        nan if longitude is None else longitude + 0.0,
    )
    return blake2b(numbers + f"{facts.currency}\x1f{names}".encode(), digest_size=16).hexdigest()
