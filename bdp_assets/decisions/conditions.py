"""The language of rule conditions: comparisons of a field with a constant, `and`, `or`, parentheses.

    amount_value >= threshold and (country in ("US", "GB") or channel == "online")

Fields are the features of the catalog and `amount_base_minor` (numbers), and the transaction's own texts.
Numbers know < <= > >= == !=, texts == != in, not in. A comparison with a text that the transaction does not
have is false, whatever it compares with. `threshold` stands for the rule's number. Python's parser reads it;
nothing else of Python is let in, and nothing is evaluated as Python.
"""

from __future__ import annotations

import ast
import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from bdp_assets.decisions.facts import NUMBERS, TEXTS, Facts, Truth, Value, Word

THRESHOLD = "threshold"
EXACT = 2**53
"""Up to here, doubles hold whole numbers."""
LONGEST = 500
"""Characters of a condition: more is several rules."""

_NUMBER_OPERATORS: Mapping[str, Callable[[Value, float], Truth]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
_SYMBOLS: Mapping[type[ast.cmpop], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.In: "in",
    ast.NotIn: "not in",
}
_GRAMMAR = "a condition is made of comparisons (field first, then a constant), and, or, and parentheses"


class ConditionError(ValueError):
    """The condition is not in the language; the message says where and what to write."""


@dataclass(frozen=True)
class NumberIs:
    """A number compared with a constant."""

    field: str
    symbol: str
    constant: float

    def holds(self, facts: Facts) -> Truth:
        return _NUMBER_OPERATORS[self.symbol](facts.number(self.field), self.constant)

    def __str__(self) -> str:
        return f"{self.field} {self.symbol} {self.constant!r}"


@dataclass(frozen=True)
class TextIs:
    """A text that is one of some, or (`among=False`) is there and none of them."""

    field: str
    texts: frozenset[str]
    among: bool = True

    def holds(self, facts: Facts) -> Truth:
        return facts.among(self.field, self.texts, self.among)

    def __str__(self) -> str:
        return f"{self.field} {'in' if self.among else 'not in'} {sorted(self.texts)}"


@dataclass(frozen=True)
class Joined:
    """Conditions of which all or any hold."""

    word: Word
    parts: tuple[Condition, ...]

    def holds(self, facts: Facts) -> Truth:
        return facts.joined(self.word, (part.holds(facts) for part in self.parts))

    def __str__(self) -> str:
        return f"({f' {self.word} '.join(map(str, self.parts))})"


Condition = NumberIs | TextIs | Joined
"""`str` of it is its meaning: equal for texts that say the same in other spelling."""


def parse(text: str, threshold: float | None = None) -> Condition:
    """Read a condition. Raises ConditionError."""
    if len(text) > LONGEST:
        raise ConditionError(f"a condition has at most {LONGEST} characters: make it several rules")
    try:
        return _condition(_body(text, threshold), threshold)
    except ConditionError:
        raise
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        raise ConditionError(f"the condition cannot be read ({error.args[0]}); {_GRAMMAR}") from None


def comparisons(condition: Condition) -> Iterator[NumberIs | TextIs]:
    """All of a condition, in order."""
    if isinstance(condition, Joined):
        for part in condition.parts:
            yield from comparisons(part)
    else:
        yield condition


def _body(text: str, threshold: float | None) -> ast.expr:
    body = ast.parse(text.strip(), mode="eval").body
    names = {node.id for node in ast.walk(body) if isinstance(node, ast.Name)}
    if (THRESHOLD in names) != (threshold is not None):
        raise ConditionError("a rule has a threshold exactly where its condition says `threshold`")
    return body


def _condition(node: ast.expr, threshold: float | None) -> Condition:
    if isinstance(node, ast.BoolOp):
        parts = tuple(_condition(part, threshold) for part in node.values)
        return Joined("and" if isinstance(node.op, ast.And) else "or", parts)
    if not isinstance(node, ast.Compare) or not isinstance(node.left, ast.Name):
        raise ConditionError(f"`{ast.unparse(node)}` is no comparison; {_GRAMMAR}")
    if len(node.ops) > 1:
        raise ConditionError(f"`{ast.unparse(node)}` compares twice: write two comparisons with `and`")
    field, symbol = node.left.id, _SYMBOLS.get(type(node.ops[0]), "is")
    if field in NUMBERS:
        return _number_is(field, symbol, _constant(node.comparators[0], threshold))
    if field in TEXTS:
        return _text_is(field, symbol, _constant(node.comparators[0], threshold))
    close = get_close_matches(field, [*NUMBERS, *TEXTS], 1)
    hint = f"did you mean `{close[0]}`?" if close else "`bdp features describe` lists the features"
    raise ConditionError(f"there is no field `{field}`: {hint}")


def _number_is(field: str, symbol: str, constant: object) -> NumberIs:
    if symbol not in _NUMBER_OPERATORS:
        raise ConditionError(f"`{field}` is a number: it knows {' '.join(_NUMBER_OPERATORS)}, not `{symbol}`")
    if isinstance(constant, bool) or not isinstance(constant, int | float) or not abs(constant) < math.inf:
        raise ConditionError(f"`{field}` is a number: compare it with a number")
    if abs(constant) > EXACT:
        raise ConditionError(f"`{field}`: numbers beyond {EXACT:,} would be rounded")
    return NumberIs(field, symbol, float(constant))


def _text_is(field: str, symbol: str, constant: object) -> TextIs:
    if symbol not in ("==", "!=", "in", "not in"):
        raise ConditionError(f"`{field}` is a text: it knows ==, !=, in and not in, not `{symbol}`")
    texts = constant if isinstance(constant, tuple) else (constant,)
    if isinstance(constant, tuple) != (symbol in ("in", "not in")):
        raise ConditionError(f"`{field}`: `in` takes several texts in parentheses, == and != take one")
    strings = frozenset(text for text in texts if isinstance(text, str))
    if not strings or not all(isinstance(text, str) for text in texts):
        raise ConditionError(f"`{field}` is a text: compare it with texts in quotes")
    return TextIs(field, strings, symbol in ("==", "in"))


def _constant(node: ast.expr, threshold: float | None) -> object:
    if isinstance(node, ast.Name) and node.id == THRESHOLD:
        return threshold
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        raise ConditionError(
            f"`{ast.unparse(node)}` is no constant: a field is compared with a number, a text, or `threshold`"
        ) from None
