"""What rule conditions read of transactions: many at once in arrays, or a single one in plain Python numbers.

A single one is what is decided, where a rule may hit it at all (see `screen`); many are what rules are tried
out on.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, Protocol

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from bdp_assets.contracts.records import Prediction, ValidatedTransaction
from bdp_assets.features.catalog import AMOUNT, CATALOG

Doubles = NDArray[np.float64]
Value = Any
"""float64 [n], or a float."""
Truth = Any
"""bool [n], or a bool."""
Word = Literal["and", "or"]

_PLACE = {name: number for number, name in enumerate((*CATALOG.names, AMOUNT))}
NUMBERS = (AMOUNT, *CATALOG.names)
TEXTS = ("currency", "country", "channel", "merchant_category")


class Facts(Protocol):
    """Of n transactions, by field."""

    def number(self, field: str) -> Value: ...

    def among(self, field: str, texts: frozenset[str], wanted: bool) -> Truth:
        """Whether the text is there, and whether it is one of those is as `wanted`."""

    def joined(self, word: Word, truths: Iterable[Truth]) -> Truth:
        """Whether all or any of them hold."""


@dataclass(frozen=True)
class Columns:
    """Many transactions."""

    count: int
    numbers: Callable[[str], Doubles]
    texts: Callable[[str], Sequence[str | None]]

    def number(self, field: str) -> Value:
        return self.numbers(field)

    def among(self, field: str, texts: frozenset[str], wanted: bool) -> Truth:
        found = (text is not None and (text in texts) is wanted for text in self.texts(field))
        return np.fromiter(found, dtype=np.bool_, count=self.count)

    def joined(self, word: Word, truths: Iterable[Truth]) -> Truth:
        return reduce(operator.and_ if word == "and" else operator.or_, truths)


class Row(Struct, frozen=True):
    """One transaction."""

    record: ValidatedTransaction | Prediction
    numbers: Sequence[float]
    """Its features in catalog order, then AMOUNT."""

    @classmethod
    def of(cls, record: ValidatedTransaction | Prediction, features: Doubles) -> Row:
        """`features`: float64 [n_features], in catalog order."""
        return cls(record, [*features.tolist(), float(record.amount_base_minor)])

    def number(self, field: str) -> Value:
        return self.numbers[_PLACE[field]]

    def among(self, field: str, texts: frozenset[str], wanted: bool) -> Truth:
        text = getattr(self.record, field)
        return text is not None and (text in texts) is wanted

    def joined(self, word: Word, truths: Iterable[Truth]) -> Truth:
        """What no longer matters is not looked at."""
        return all(truths) if word == "and" else any(truths)
