"""The one door of a label: bytes in, `Label` or `ContractError` out."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from bdp_assets.contracts import pan
from bdp_assets.contracts.codec import decode_label as _decode
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.records import EpochMs, Label
from bdp_assets.contracts.refusal import MAX_VALUE_BYTES
from bdp_assets.contracts.rules import MAX_AHEAD_MS

_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")
_WRONG = re.compile(r"Expected .* - at `\$\.(?P<field>\w+)`")
_NOW = -1
LabelT = TypeVar("LabelT", bound=Label)
_BOUND = re.compile(r"Expected `\w+( \| null)?` (of length )?[<>]=")


def decode_label(value: bytes | None, *, received_ms: int) -> Label:
    """Checks shape, card numbers and times; unknown fields are skipped.

    `received_ms` (UTC epoch milliseconds: the Kafka timestamp) is the clock: nothing is known before
    it happens, and one label from the future would let all of its merchant's past retire. Raises
    ContractError.
    """
    return _checked(value, _decode, received_ms)


class _Posted(Label, frozen=True, kw_only=True):
    known_at_ms: EpochMs = _NOW


_decode_posted = msgspec.json.Decoder(_Posted).decode


def decode_posted(value: bytes, *, received_ms: int) -> Label:
    """As `decode_label`, from a caller who need not say since when it is known: from now on."""
    posted = _checked(value, _decode_posted, received_ms)
    fields = msgspec.structs.asdict(posted)
    return Label(**fields | ({"known_at_ms": received_ms} if posted.known_at_ms == _NOW else {}))


def _checked(value: bytes | None, decode: Callable[[bytes], LabelT], received_ms: int) -> LabelT:
    if value is None:
        raise ContractError("tombstone", None, "The message has no value. Send a label as JSON.")
    if len(value) > MAX_VALUE_BYTES:
        raise ContractError("too_large", None, f"The value is longer than {MAX_VALUE_BYTES} bytes.")
    _refuse_card_numbers(value)
    label = _shaped(value, decode)
    for field in ("known_at_ms", "ts_ms"):
        if (getattr(label, field) or 0) > received_ms + MAX_AHEAD_MS:
            raise ContractError("timestamp_future", field, f"{field} lies in the future. Is it in ms?")
    return label


def _shaped(value: bytes, decode: Callable[[bytes], LabelT]) -> LabelT:
    try:
        return decode(value)
    except UnicodeDecodeError:
        raise ContractError("not_utf8", None, "The value is not UTF-8. Encode the JSON as UTF-8.") from None
    except msgspec.ValidationError as error:
        raise _misshapen(str(error)) from None
    except (msgspec.DecodeError, RecursionError):
        raise ContractError("not_json", None, "The value is no JSON.") from None


def _refuse_card_numbers(value: bytes) -> None:
    if pan.may_hold_pan(value) and pan.mask_pans(value, b"").hashes:
        raise ContractError("pan_in_field", None, f"A field {pan.ADVICE}")
    if pan.holds_masked_pan(value.decode("latin-1")):  # a dead letter that is sent again as it was kept
        raise ContractError("pan_in_field", None, f"A field {pan.ADVICE_MASKED}")


def _misshapen(text: str) -> ContractError:
    """From the decoder's sentence, which names fields and types, never values."""
    if missing := _MISSING.match(text):
        return ContractError("missing_field", missing["field"], f"{missing['field']} is missing.")
    if wrong := _WRONG.match(text):
        code = "out_of_range" if _BOUND.match(text) else "wrong_type"
        says = "is out of its range." if code == "out_of_range" else "has the wrong type."
        return ContractError(code, wrong["field"], f"{wrong['field']} {says}")
    return ContractError("not_object", None, "The value is JSON, but no object with a label's fields.")
