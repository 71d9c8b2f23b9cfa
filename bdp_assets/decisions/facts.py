"""What rule conditions read of transactions: many at once in arrays, or a single one in plain Python numbers.

A single one is what the API decides; for it, arrays would cost more than the comparisons.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Literal, Protocol

import numpy as np
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

    def where(self, truth: Truth) -> list[int]:
        """Numbers of the transactions of which it holds."""

    def shown(self, field: str, row: int) -> float:
        """One number of one transaction."""


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

    def where(self, truth: Truth) -> list[int]:
        rows: list[int] = truth.nonzero()[0].tolist()
        return rows

    def shown(self, field: str, row: int) -> float:
        return float(self.numbers(field)[row])


@dataclass(frozen=True)
class Row:
    """One transaction."""

    record: ValidatedTransaction | Prediction
    numbers: Sequence[float]
    """Its features in catalog order, then AMOUNT."""

    def number(self, field: str) -> Value:
        return self.numbers[_PLACE[field]]

    def among(self, field: str, texts: frozenset[str], wanted: bool) -> Truth:
        text = getattr(self.record, field)
        return text is not None and (text in texts) is wanted

    def joined(self, word: Word, truths: Iterable[Truth]) -> Truth:
        """What no longer matters is not looked at."""
        return all(truths) if word == "and" else any(truths)

    def where(self, truth: Truth) -> list[int]:
        return [0] if truth else []

    def shown(self, field: str, row: int) -> float:
        return float(self.number(field))


def facts_of(records: Sequence[ValidatedTransaction | Prediction], features: Doubles) -> Facts:
    """Facts of transactions, or of decision records; `features`: float64 [n, n_features], catalog order."""
    if len(records) == 1:
        return Row(records[0], [*features[0].tolist(), float(records[0].amount_base_minor)])

    def numbers(field: str) -> Doubles:
        if field == AMOUNT:
            return np.array([record.amount_base_minor for record in records], dtype=np.float64)
        return features[:, _PLACE[field]]

    def texts(field: str) -> list[str | None]:
        return [getattr(record, field) for record in records]

    return Columns(len(records), numbers, texts)
