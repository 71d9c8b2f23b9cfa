"""`--fix FILE`: what an operator wants changed in refused messages before they are sent again.

A YAML (or JSON) file with a list `fixes`. Each says `when` it applies (error, field, step, source_topic,
place; left out: always) and what it changes, in this order: `rename`, `drop`, `number`, `text`, `set`. Or it
has `replace`, the whole body of the one letter at `place`. Fixes apply one after the other, each to what the
one before it made. What no fix names keeps its bytes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

import msgspec
from msgspec import Raw, Struct, field

from bdp_assets.contracts.records import DeadLetter
from bdp_assets.operations.dead_letters.entries import place_of

_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")
_fields = msgspec.json.Decoder(dict[str, Raw]).decode


class InvalidFix(ValueError):  # noqa: N818 - reads as what it is
    """The file says something that can not be done; says where."""


class Unfixable(ValueError):  # noqa: N818 - reads as what it is
    """A fix that can not be applied to this letter; says why, without the value."""


class Fixable(Protocol):
    """What was refused, at its place: a dead letter, or a row in quarantine."""

    @property
    def place(self) -> object: ...
    @property
    def step(self) -> str: ...
    @property
    def letter(self) -> DeadLetter: ...
    @property
    def original(self) -> bytes: ...


class When(Struct, frozen=True, forbid_unknown_fields=True):
    """The letters that a fix is for: all of it must match."""

    error: str | None = None
    field: str | None = None
    step: str | None = None
    source_topic: str | None = None
    place: str | None = None

    def matches(self, entry: Fixable) -> bool:
        letter = entry.letter
        has = {
            "error": letter.error,
            "field": letter.field,
            "step": entry.step,
            "source_topic": letter.source_topic,
            "place": str(entry.place),
        }
        wanted = msgspec.structs.asdict(self)
        return all(value in (None, has[name]) for name, value in wanted.items())


class Fix(Struct, frozen=True, forbid_unknown_fields=True):
    when: When = When()
    rename: dict[str, str] = field(default_factory=dict)
    """Old name -> new name; a letter without the old one stays as it is."""
    drop: list[str] = []
    number: list[str] = []
    """Fields whose string becomes the number that it spells."""
    text: list[str] = []
    """Fields whose number becomes a string, digit by digit."""
    set: dict[str, Any] = field(default_factory=dict)
    replace: dict[str, Any] | None = None

    @property
    def changes_fields(self) -> bool:
        return bool(self.rename or self.drop or self.number or self.text or self.set)


class Fixes(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of fixes; one without any leaves every letter as it is."""

    fixes: list[Fix] = []

    def apply(self, entry: Fixable) -> bytes:
        """The body to send. Raises Unfixable."""
        value = entry.original
        for fix in self.fixes:
            if fix.when.matches(entry):
                value = _fixed(fix, value)
        return value


def read_fixes(path: Path, place_of: Callable[[str], object] = place_of) -> Fixes:
    """`place_of` reads a place and raises ValueError for what is none. Raises InvalidFix, OSError."""
    try:
        fixes = msgspec.yaml.decode(path.read_bytes(), type=Fixes)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        hint = ' Quote places: "3:17".' if ".place`" in str(error) else ""
        raise InvalidFix(f"{path}: {error}.{hint}") from None
    for number, fix in enumerate(fixes.fixes, 1):
        if fault := _fault(fix, place_of):
            raise InvalidFix(f"{path}: fix {number}: {fault}")
    return fixes


def _fault(fix: Fix, place_of: Callable[[str], object]) -> str | None:
    if fix.when.place is not None:
        try:
            place_of(fix.when.place)
        except ValueError as error:
            return f"place: {error}"
    if fix.replace is None:
        return (
            None if fix.changes_fields else "it changes nothing: rename, drop, number, text, set or replace"
        )
    if fix.changes_fields:
        return "`replace` is the whole body: it stands alone"
    return None if fix.when.place else '`replace` is for one letter: when: {place: "3:17"}'


def _fixed(fix: Fix, value: bytes) -> bytes:
    if fix.replace is not None:
        return msgspec.json.encode(fix.replace)
    fields = _read(value)
    _rename(fields, fix)
    for name in fix.drop:
        fields.pop(name, None)
    fields |= {name: _as_number(fields[name]) for name in fix.number if name in fields}
    fields |= {name: _as_text(fields[name]) for name in fix.text if name in fields}
    return msgspec.json.encode({**fields, **fix.set})


def _read(value: bytes) -> dict[str, Raw]:
    """Fields by name, each with its own bytes."""
    try:
        fields = _fields(value)
        names = json.loads(value, object_pairs_hook=lambda pairs: [name for name, _ in pairs])
    except (ValueError, RecursionError):
        fields, names = {}, None
    if names is None or len(names) != len(fields):
        raise Unfixable("Its bytes are no JSON object with each field once: only `replace` can repair it.")
    return fields


def _rename(fields: dict[str, Raw], fix: Fix) -> None:
    for old, new in fix.rename.items():
        if old in fields:
            if new in fields:
                raise Unfixable(f"It has {new} already: nothing can be renamed to it.")
            fields[new] = fields.pop(old)


def _as_number(value: Raw) -> Raw:
    """Anything but a string that spells a number stays, for the contract to refuse."""
    told = msgspec.json.decode(value)
    return Raw(told.encode()) if isinstance(told, str) and _NUMBER.fullmatch(told) else value


def _as_text(value: Raw) -> Raw:
    digits = bytes(value).decode()
    return Raw(f'"{digits}"'.encode()) if _NUMBER.fullmatch(digits) else value
