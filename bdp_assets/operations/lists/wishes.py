"""What a person may ask of a list; nothing that was typed is repeated in a refusal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from bdp_assets.contracts import pan
from bdp_assets.contracts.records import ListKind, ListName
from bdp_assets.contracts.wire import FORMS
from bdp_assets.decisions.lists import FIELDS
from bdp_assets.runtime.problems import Problem

LONGEST_REASON, LONGEST_NAME = 300, 64
_SPAN = re.compile(r"([1-9][0-9]{0,4})([hd])")
_UNITS = {"h": "hours", "d": "days"}


@dataclass(frozen=True)
class Place:
    """Whom an entry is about, and in which list."""

    list: ListName
    kind: ListKind
    id: str

    @classmethod
    def of(cls, name: str, kind: str, id_: str) -> Place:
        """Raises Problem for what no transaction could be found by."""
        if name not in set(ListName):
            raise Problem("There is no list of that name.", f"There are: {', '.join(ListName)}.")
        if kind not in set(ListKind):
            raise Problem("A list has no entries of that kind.", f"There are: {', '.join(ListKind)}.")
        form = FORMS[FIELDS[ListKind(kind)]]
        if pan.holds_pan(id_):
            raise Problem(
                f"The id {pan.ADVICE}", "No transaction is let in with one: list the token instead."
            )
        if not re.fullmatch(form.pattern, id_):
            raise Problem(f"That is no id of a {kind}.", f"An id is {form.says}.")
        return cls(ListName(name), ListKind(kind), id_)


@dataclass(frozen=True)
class Why:
    """Who asks, and for what reason; both are kept for good."""

    reason: str
    by: str

    def __post_init__(self) -> None:
        """Raises Problem."""
        for text, name, longest in (
            (self.reason, "reason", LONGEST_REASON),
            (self.by, "name", LONGEST_NAME),
        ):
            if not text.strip() or len(text) > longest or not text.isprintable():
                raise Problem(f"The {name} can not be kept.", f"It is one line of 1 to {longest} characters.")
            if pan.holds_pan(text):
                raise Problem(f"The {name} {pan.ADVICE}", "Write it without.")


def expiry(text: str | None, now: datetime) -> datetime | None:
    """When an entry ends: after `12h` or `30d`, or as a day (UTC) begins. Raises Problem."""
    if text is None:
        return None
    ends = _end(text, now)
    if ends is None or ends <= now:
        raise Problem(
            "That is no time at which an entry could end.",
            "Say `12h`, `30d`, or a later day such as 2027-01-31: the entry ends as it begins (UTC).",
        )
    return ends


def _end(text: str, now: datetime) -> datetime | None:
    span = _SPAN.fullmatch(text)
    if span is not None:
        return now + timedelta(**{_UNITS[span[2]]: int(span[1])})
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        return None
