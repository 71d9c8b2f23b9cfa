"""Why a value has the wrong shape: the slow, careful second look at a value that the fast path refused."""

from __future__ import annotations

import json
import re
from decimal import Decimal, InvalidOperation
from typing import Any

from bdp_assets.contracts import pan
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.wire import ADJUSTMENTS, BOUNDS, FORMS, REQUIRED, RawTransaction

MAX_VALUE_BYTES = 256 * 1024
_FIELDS = RawTransaction.__struct_fields__
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,63}")


def refusal(value: bytes | None) -> ContractError:
    """The error of a value whose shape is wrong: a card number first, then fields in the contract's order."""
    if value is None:
        return ContractError("tombstone", None, "The message has no value. Send a transaction as JSON.")
    if len(value) > MAX_VALUE_BYTES:
        return ContractError("too_large", None, f"The value is longer than {MAX_VALUE_BYTES} bytes.")
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return ContractError("not_utf8", None, "The value is not UTF-8. Encode the JSON as UTF-8.")
    try:
        record = json.loads(text, parse_int=_number, parse_float=_number, parse_constant=_Constant)
    except (ValueError, RecursionError):
        return ContractError(
            "not_json", None, "The value is no JSON: cut off, misspelled or nested too deep."
        )
    if not isinstance(record, dict):
        return ContractError(
            "not_object", None, "The value is JSON, but no object with a transaction's fields."
        )
    return (
        _card_number(record, pan.plain(value))
        or _not_a_purchase(record)
        or _known_field(record)
        or _unknown_field(record)
    )


def unknown_field(name: str) -> ContractError:
    """Of a field that the contract does not have."""
    field = _safe(name)
    return ContractError("unknown_field", field, f"{field or 'A field'} is not in the contract. Remove it.")


class _Constant:
    """NaN or Infinity: Python's parser takes them, JSON does not have them."""

    def __init__(self, name: str) -> None: ...


def _number(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:  # an exponent beyond decimals
        return Decimal("-Infinity" if text.startswith("-") else "Infinity")


def _card_number(record: dict[str, Any], text: str) -> ContractError | None:
    if not pan.holds_pan(text) and not pan.holds_masked_pan(text):
        return None
    for name, value in record.items():
        if isinstance(value, str | Decimal) and pan.holds_pan(str(value)):
            return ContractError("pan_in_field", _safe(name), f"{_safe(name) or 'A field'} {pan.ADVICE}")
    if pan.holds_pan(text):  # in a field's name, or deeper down
        return ContractError("pan_in_field", None, f"A field {pan.ADVICE}")
    return _masked_card_number(record)


def _masked_card_number(record: dict[str, Any]) -> ContractError | None:
    """A dead letter that is sent again as it was kept."""
    for name, value in record.items():
        if isinstance(value, str) and pan.holds_masked_pan(value):
            says = f"{_safe(name) or 'A field'} {pan.ADVICE_MASKED}"
            return ContractError("pan_in_field", _safe(name), says)
    return None


def _not_a_purchase(record: dict[str, Any]) -> ContractError | None:
    """Before all other fields: an amount below zero, say, is no fault of a refund's."""
    if record.get("type") not in ADJUSTMENTS:
        return None
    says = "is of no purchase: it is never scored. Send it to /api/v1/adjustments."
    return ContractError("not_a_purchase", "type", f"type {says}")


def _known_field(record: dict[str, Any]) -> ContractError | None:
    for name in _FIELDS:
        if name in record:
            fault = _fault(name, record[name])
        else:
            fault = ("missing_field", "is missing.") if name in REQUIRED else None
        if fault is not None:
            code, says = fault
            return ContractError(code, name, f"{name} {says}")
    return None


def _unknown_field(record: dict[str, Any]) -> ContractError:
    unknown = [name for name in record if name not in _FIELDS]
    if not unknown:  # nothing that Python's parser sees: a lone surrogate, a number beyond doubles
        return ContractError("not_json", None, "The value is no JSON (RFC 8259).")
    return unknown_field(unknown[0])


def _fault(name: str, value: object) -> tuple[str, str] | None:
    if value is None and name not in REQUIRED:
        return None
    if isinstance(value, _Constant):
        return "not_json", "is NaN or Infinity, which JSON does not have."
    return _string_fault(name, value) if name in FORMS else _number_fault(name, value)


def _string_fault(name: str, value: object) -> tuple[str, str] | None:
    if not isinstance(value, str):
        return "wrong_type", "must be a string."
    form = FORMS[name]
    return None if re.fullmatch(form.pattern, value) else ("bad_format", f"must be {form.says}.")


def _number_fault(name: str, value: object) -> tuple[str, str] | None:
    if not isinstance(value, Decimal):
        return "wrong_type", "must be a number."
    low, high, says = BOUNDS[name]
    inside = value >= low and (high is None or value <= high)
    return None if inside else ("out_of_range", f"must be {says}.")


def _safe(name: str) -> str | None:
    """A field's name if it is a plain one: names come from outside too."""
    return name if _PLAIN_NAME.fullmatch(name) and not pan.holds_pan(name) else None
