"""Notices about a transaction (labels, adjustments) at their door: shape, card numbers, times."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

import msgspec

from bdp_assets.contracts import pan
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.refusal import MAX_VALUE_BYTES, unknown_field
from bdp_assets.contracts.rules import MAX_AHEAD_MS, repeated_field

_MISSING = re.compile(r"Object missing required field `(?P<field>\w+)`")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<field>.*)`", re.DOTALL)
_WRONG = re.compile(r"Expected .* - at `\$\.(?P<field>\w+)`")
_BOUND = re.compile(r"Expected `\w+( \| null)?` (of length )?[<>]=")
_NO_MEMBER = re.compile(r"Invalid enum value .* - at `\$\.(?P<field>\w+)`", re.DOTALL)
NoticeT = TypeVar("NoticeT", bound=msgspec.Struct)
NOW = -1
"""In place of a time that a caller left out."""
EARLIEST_MS = 946_684_800_000
"""2000-01-01: what lies before it is a time in seconds, or none."""


def read_notice(
    value: bytes | None, decode: Callable[[bytes], NoticeT], times: Sequence[str], received_ms: int
) -> NoticeT:
    """The record; `times` names its fields of epoch milliseconds.

    None of them may lie after `received_ms` or before EARLIEST_MS. Raises ContractError.
    """
    if value is None:
        raise ContractError("tombstone", None, "The message has no value. Send JSON.")
    if len(value) > MAX_VALUE_BYTES:
        raise ContractError("too_large", None, f"The value is longer than {MAX_VALUE_BYTES} bytes.")
    _refuse_card_numbers(value)
    notice = _shaped(value, decode)
    for field in times:
        _refuse_unlikely(field, getattr(notice, field), received_ms)
    return notice


def timed(posted: msgspec.Struct, kind: type[NoticeT], field: str, received_ms: int) -> NoticeT:
    """A notice as its caller posted it, whose time in `field` is NOW where he did not say: when it came."""
    fields = msgspec.structs.asdict(posted)
    return kind(**fields | ({field: received_ms} if fields[field] == NOW else {}))


def _refuse_unlikely(field: str, ms: int | None, received_ms: int) -> None:
    if ms is None or ms == NOW:
        return
    if ms > received_ms + MAX_AHEAD_MS:
        raise ContractError("timestamp_future", field, f"{field} lies in the future. Is it in ms?")
    if ms < EARLIEST_MS:
        raise ContractError("out_of_range", field, f"{field} lies before the year 2000. Is it in ms?")


def _shaped(value: bytes, decode: Callable[[bytes], NoticeT]) -> NoticeT:
    try:
        notice = decode(value)
        _refuse_repeated(value, notice)
    except UnicodeDecodeError:
        raise ContractError("not_utf8", None, "The value is not UTF-8. Encode the JSON as UTF-8.") from None
    except msgspec.ValidationError as error:
        raise _misshapen(str(error)) from None
    except (msgspec.DecodeError, RecursionError):
        raise ContractError("not_json", None, "The value is no JSON.") from None
    return notice


def _refuse_repeated(value: bytes, notice: msgspec.Struct) -> None:
    name = repeated_field(value)
    if name is not None:
        field = name if name in notice.__struct_fields__ else None  # names come from outside too
        raise ContractError(
            "duplicate_field", field, f"{field or 'A field'} is there more than once. Send it once."
        )


def _refuse_card_numbers(value: bytes) -> None:
    text = pan.plain(value)
    if pan.holds_pan(text):
        raise ContractError("pan_in_field", None, f"A field {pan.ADVICE}")
    if pan.holds_masked_pan(text):  # a dead letter that is sent again as it was kept
        raise ContractError("pan_in_field", None, f"A field {pan.ADVICE_MASKED}")


def _misshapen(text: str) -> ContractError:
    """From the decoder's sentence, of which only names of fields are taken: it may hold a value."""
    if missing := _MISSING.match(text):
        return ContractError("missing_field", missing["field"], f"{missing['field']} is missing.")
    if stranger := _UNKNOWN.fullmatch(text):
        return unknown_field(stranger["field"])
    if unknown := _NO_MEMBER.match(text):
        return ContractError("bad_format", unknown["field"], f"{unknown['field']} is none of its values.")
    if wrong := _WRONG.match(text):
        code = "out_of_range" if _BOUND.match(text) else "wrong_type"
        says = "is out of its range." if code == "out_of_range" else "has the wrong type."
        return ContractError(code, wrong["field"], f"{wrong['field']} {says}")
    return ContractError("not_object", None, "The value is JSON, but no object with these fields.")
