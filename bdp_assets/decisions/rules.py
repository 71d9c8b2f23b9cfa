"""The rule catalog: what a person wrote down beside the model, in `rules.yaml`.

A rule can only raise a decision, never lower it. The catalog's version is a digest of what it does and says.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import groupby
from operator import itemgetter
from pathlib import Path
from string import Formatter
from typing import TYPE_CHECKING, Annotated

import msgspec
from msgspec import Meta, Struct

from bdp_assets.contracts.records import Decision, Prediction, Reason, Severity, ValidatedTransaction
from bdp_assets.decisions.conditions import (
    THRESHOLD,
    Condition,
    ConditionError,
    NumberIs,
    comparisons,
    parse,
)
from bdp_assets.decisions.facts import Doubles, Row

if TYPE_CHECKING:
    from bdp_assets.decisions.screen import Screen

FILE = Path(__file__).with_name("rules.yaml")
CODE = "rule:"
"""Begins the code of a rule's reason; its name follows."""
_SEMANTICS = 1  # Part of every version: raise it when a condition comes to mean something else.


class RuleError(ValueError):
    """The catalog can not be used; the message names the rule and says what to do."""


class Action(StrEnum):
    """What becomes of a transaction that a rule hits, at least; `flag` only says so in its record."""

    FLAG = "flag"
    REVIEW = "review"
    DECLINE = "decline"


LEAST: Mapping[Action, Decision] = {
    Action.FLAG: Decision.APPROVE,
    Action.REVIEW: Decision.REVIEW,
    Action.DECLINE: Decision.DECLINE,
}


class Entry(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A rule as it is written."""

    name: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{2,59}$")]
    when: str
    severity: Severity
    action: Action
    reason: Annotated[str, Meta(min_length=1, max_length=300)]
    threshold: int | float | None = None


class _File(Struct, forbid_unknown_fields=True):
    rules: list[Entry]


@dataclass(frozen=True)
class Rule:
    """An entry that was checked, and what its condition means. Raises RuleError."""

    entry: Entry
    condition: Condition

    @classmethod
    def of(cls, entry: Entry) -> Rule:
        try:
            condition = parse(entry.when, entry.threshold)
        except ConditionError as error:
            raise RuleError(f"rule {entry.name}: {error}") from None
        return cls(entry, condition)

    def __post_init__(self) -> None:
        known = {*self._numbers, *self._own}
        try:
            fields = [parts[1:] for parts in Formatter().parse(self.entry.reason) if parts[1] is not None]
        except ValueError as error:
            raise RuleError(f"rule {self.entry.name}: the reason cannot be read ({error})") from None
        for name, layout, conversion in fields:
            if name not in known or layout or conversion:
                raise RuleError(
                    f"rule {self.entry.name}: the reason shows `{{{name}}}`; it can show, without a format, "
                    f"{', '.join(sorted(known)) or 'nothing'}: the numbers that the condition compares"
                )

    @property
    def name(self) -> str:
        return self.entry.name

    @property
    def fields(self) -> set[str]:
        """What its condition reads."""
        return {one.field for one in comparisons(self.condition)}

    @property
    def meaning(self) -> tuple[str, ...]:
        entry = self.entry
        says = entry.reason.format(**{name: f"{{{name}}}" for name in self._numbers}, **self._own)
        return entry.name, str(self.condition), entry.severity.value, entry.action.value, says

    def reason(self, row: Row) -> Reason:
        """Why it hit that transaction, for people."""
        shown = {name: _shown(row.number(name)) for name in self._numbers}
        return Reason(f"{CODE}{self.name}", self.entry.reason.format(**shown, **self._own))

    @cached_property
    def _numbers(self) -> tuple[str, ...]:
        """The fields that a reason may show."""
        return tuple({one.field: None for one in comparisons(self.condition) if isinstance(one, NumberIs)})

    @cached_property
    def _own(self) -> dict[str, str]:
        return {} if self.entry.threshold is None else {THRESHOLD: _shown(self.entry.threshold)}


@dataclass(frozen=True)
class RuleCatalog:
    """An ordered set of rules: their order is that of their reasons. Raises RuleError."""

    rules: tuple[Rule, ...]

    def __post_init__(self) -> None:
        doubled = [name for name, count in Counter(rule.name for rule in self.rules).items() if count > 1]
        if doubled:
            raise RuleError(f"two rules have the name {doubled[0]}: a reason's code has to name one")

    @cached_property
    def version(self) -> str:
        """12 hex characters of what the rules do and say; comments and spelling do not change it."""
        text = json.dumps([_SEMANTICS, [rule.meaning for rule in self.rules]])
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    def hits(
        self, records: Sequence[ValidatedTransaction | Prediction], features: Doubles
    ) -> Iterator[tuple[int, Row, Sequence[Rule]]]:
        """The number and the facts of each row that any rule hits, and the rules that do.

        `features`: float64 [n, n_features], finite, in catalog order. A row's hits do not depend on others.
        """
        for number, pairs in groupby(self._screen.possible(features), itemgetter(0)):
            row = Row.of(records[number], features[number])
            hits = [self.rules[rule] for _, rule in pairs if self.rules[rule].condition.holds(row)]
            if hits:
                yield number, row, hits

    @cached_property
    def _screen(self) -> Screen:
        from bdp_assets.decisions.screen import Screen  # loads Numba

        return Screen([rule.condition for rule in self.rules])


def load_rules(path: Path = FILE) -> RuleCatalog:
    """Read and check a catalog. Raises RuleError."""
    try:
        entries = msgspec.yaml.decode(path.read_bytes(), type=_File).rules
    except OSError as error:
        raise RuleError(f"the rules in {path} cannot be read: {error.strerror}") from error
    except msgspec.MsgspecError as error:
        raise RuleError(f"{path} is no rule catalog: {error}") from error
    return RuleCatalog(tuple(map(Rule.of, entries)))


def _shown(value: float) -> str:
    return f"{value:,.6g}"


NO_RULES = RuleCatalog(())
