"""Card numbers (PANs): found by issuer range + length + Luhn, masked to BIN and last four.

Digits may be separated by spaces or dashes. A number may begin and end only where its digits do: 16 digits
inside 20 are no card number. Of random 16-digit ids 3.4% look like one (10% by Luhn alone): such ids should
get a letter in them. UUIDs with a letter never do.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import accumulate
from typing import NamedTuple

ADVICE = "holds a card number. Card numbers never travel: send a token."
ADVICE_MASKED = "holds a masked card number, which many cards share. Put a token in its place."


class Issuer(NamedTuple):
    """Numbers of `lengths` digits whose first digits lie from `low` to `high`."""

    name: str
    low: str
    high: str
    lengths: range | tuple[int, ...]


ISSUERS = (
    Issuer("Visa", "4", "4", (13, 16, 19)),
    Issuer("Mastercard", "51", "55", (16,)),
    Issuer("Mastercard", "2221", "2720", (16,)),
    Issuer("American Express", "34", "34", (15,)),
    Issuer("American Express", "37", "37", (15,)),
    Issuer("Discover", "6011", "6011", range(16, 20)),
    Issuer("Discover", "644", "649", range(16, 20)),
    Issuer("Discover", "65", "65", range(16, 20)),
    Issuer("Diners Club", "300", "305", range(14, 20)),
    Issuer("Diners Club", "3095", "3095", range(14, 20)),
    Issuer("Diners Club", "36", "36", range(14, 20)),
    Issuer("Diners Club", "38", "39", range(14, 20)),
    Issuer("JCB", "3528", "3589", range(16, 20)),
    Issuer("UnionPay", "62", "62", range(16, 20)),
    Issuer("UnionPay", "81", "81", range(16, 20)),
    Issuer("Maestro", "50", "50", range(12, 20)),
    Issuer("Maestro", "56", "58", range(12, 20)),
    Issuer("Maestro", "63", "63", range(12, 20)),
    Issuer("Maestro", "67", "67", range(12, 20)),
)
SHORTEST, LONGEST = 12, 19
HASH_LENGTH = 32
"""Hex digits that are kept of a hash: 128 bits."""


def _lengths_by_prefix() -> Mapping[str, Sequence[int]]:
    """Lengths that numbers with those first four digits may have, the longest first."""
    lengths: dict[str, set[int]] = {}
    for issuer in ISSUERS:
        for prefix in range(int(issuer.low.ljust(4, "0")), int(issuer.high.ljust(4, "9")) + 1):
            lengths.setdefault(str(prefix), set()).update(issuer.lengths)
    return {prefix: sorted(found, reverse=True) for prefix, found in lengths.items()}


_LENGTHS = _lengths_by_prefix()

_RUN = re.compile(r"[0-9](?:[ -]*[0-9]){11,}")
_GROUP = re.compile(r"[0-9]+")
_UUID = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Za-z])")
_ESCAPE = re.compile(r'\\(?:u([0-9A-Fa-f]{4})|["\\/bfnrt])')
"""Of JSON, all of them: the second of two backslashes begins none."""
_ESCAPE_IN_STRING = re.compile(r"\\\\u([0-9A-Fa-f]{4})")
"""In JSON that is a string of JSON, its backslash escaped."""
_NOT_PLAIN = re.compile(r'\\(?:u[0-9A-Fa-f]{4}|["/bfnrt])')
_DIGITS_ONLY = bytes(ord("0") if chr(i).isdigit() else ord("x") for i in range(128)) + b"x" * 128
_LONG_RUN = b"0" * SHORTEST
_MASKED = re.compile(r"(?<![0-9*])(?:[0-9][ -]*){6}(?:\*[ -]*){2,9}(?:[0-9][ -]*){3}[0-9](?![0-9*])")
_DIGITS = b"0123456789"
_PLAIN = bytes.maketrans(_DIGITS, bytes(range(10)))
_DOUBLED = bytes.maketrans(_DIGITS, bytes((0, 2, 4, 6, 8, 1, 3, 5, 7, 9)))


class Masked(NamedTuple):
    """`value` with its card numbers masked, and a keyed hash (hex) of each: equal numbers, equal hashes."""

    value: bytes
    hashes: list[str]


def may_hold_pan(value: bytes) -> bool:
    """Quick, and never wrong with a no: every PAN has twelve digits in a row (spaces and dashes apart)."""
    return _LONG_RUN in value.translate(_DIGITS_ONLY, b" -")


def is_pan(digits: str) -> bool:
    """Whether a text of digits has an issuer's range and length and passes Luhn."""
    return len(digits) in _LENGTHS.get(digits[:4], ()) and _Luhn(digits).passes(0, len(digits))


def holds_pan(text: str) -> bool:
    return may_hold_pan(text.encode(errors="replace")) and next(_spans(text), None) is not None


def holds_masked_pan(text: str) -> bool:
    """Whether it holds a number as `mask_pans` leaves it: useless as an id, since many numbers share it."""
    return "*" in text and _MASKED.search(text) is not None


def mask_pans(value: bytes, key: bytes) -> Masked:
    """Masks every card number in any bytes: BIN (6) and last four stay.

    `key` keys the hashes (HMAC-SHA256). What JSON escapes hide is made plain first, if that uncovers
    a number. Not all bytes are JSON: what lies there in clear is masked, whatever it would be in JSON.
    """
    text = _unescaped(value)
    uncovered = _masked(value, text, _blotted(text), key)
    if b"\\" not in value:
        return uncovered
    text = uncovered.value.decode("latin-1")
    in_clear = _masked(uncovered.value, text, text, key)
    return Masked(in_clear.value, uncovered.hashes + in_clear.hashes)


def plain(value: bytes) -> str:
    """JSON, to be looked at for card numbers: the same text however its characters are escaped.

    That of JSON in a string of JSON, too. Escapes of what is no printable ASCII are blotted out.
    """
    return _blotted(_unescaped(value))


def _unescaped(value: bytes) -> str:
    """JSON of the same meaning, its printable ASCII without escapes."""
    text = value.decode("latin-1")
    if "\\" not in text:
        return text
    return _ESCAPE_IN_STRING.sub(_char, _ESCAPE.sub(_char, text))


def _char(escape: re.Match[str]) -> str:
    """What it stands for, if that may stand there by itself."""
    char = "" if escape[1] is None else chr(int(escape[1], 16))
    if char in ('"', "\\"):
        return f"\\{char}"
    return char if " " <= char <= "~" else escape[0]


def _blotted(text: str) -> str:
    """Of the same length: digits and letters of an escape are none of what it stands for."""
    return _NOT_PLAIN.sub(lambda escape: "\\" * len(escape[0]), text) if "\\" in text else text


def _masked(value: bytes, text: str, looked_at: str, key: bytes) -> Masked:
    """`text` with those numbers masked that stand in `looked_at`, at the same places; else `value`."""
    if not may_hold_pan(looked_at.encode("latin-1")):
        return Masked(value, [])
    pieces, hashes, end = [], [], 0
    for start, stop in _spans(looked_at):
        number = text[start:stop]
        pieces += [text[end:start], _mask(number)]
        digits = re.sub("[ -]", "", number).encode()
        hashes.append(hmac.digest(key, digits, "sha256").hex()[:HASH_LENGTH])
        end = stop
    return Masked("".join([*pieces, text[end:]]).encode("latin-1"), hashes) if hashes else Masked(value, [])


def _spans(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each card number, left to right, not overlapping."""
    without_uuids = _UUID.sub(_blank, text)
    for run in _RUN.finditer(without_uuids):
        groups = [group.span() for group in _GROUP.finditer(without_uuids, *run.span())]
        yield from _spans_of_groups(text, groups)


def _blank(uuid: re.Match[str]) -> str:
    """A UUID with a letter in it is no card number, though its digit groups may look like one."""
    return uuid[0] if uuid[0].replace("-", "").isdigit() else "x" * len(uuid[0])


def _spans_of_groups(text: str, groups: Sequence[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """Card numbers made of whole neighbouring digit groups; the longest that begins at a group wins.

    A group costs as little as may be: a caller may send as many as a body holds.
    """
    digits = "".join(text[start:stop] for start, stop in groups)
    firsts = list(accumulate((stop - start for start, stop in groups), initial=0))
    stops = dict(zip(firsts[1:], (stop for _, stop in groups), strict=True))
    luhn, free = _Luhn(digits), 0
    for first, (start, _) in zip(firsts, groups, strict=False):
        if first < free:
            continue
        for length in _LENGTHS.get(digits[first : first + 4], ()):
            after = first + length
            if after in stops and luhn.passes(first, after):
                yield start, stops[after]
                free = after
                break


class _Luhn:
    """Luhn's sum of any part of a text of digits, each at the cost of one subtraction.

    From a number's end, every second digit counts doubled: those at even places where it ends before an even
    one, else the others. So two sums of all that lies before each place are enough.
    """

    def __init__(self, digits: str) -> None:
        places = digits.encode()
        even, odd = bytearray(places.translate(_PLAIN)), bytearray(places.translate(_PLAIN))
        doubled = places.translate(_DOUBLED)
        even[0::2], odd[1::2] = doubled[0::2], doubled[1::2]
        self._before = tuple(list(accumulate(values, initial=0)) for values in (even, odd))

    def passes(self, first: int, after: int) -> bool:
        before = self._before[after % 2]
        return (before[after] - before[first]) % 10 == 0


def _mask(number: str) -> str:
    """`4111 1111 1111 1111` -> `4111 11** **** 1111`."""
    total = sum(char.isdigit() for char in number)
    seen, masked = 0, []
    for char in number:
        seen += char.isdigit()
        masked.append("*" if char.isdigit() and 6 < seen <= total - 4 else char)
    return "".join(masked)
