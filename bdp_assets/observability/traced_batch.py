"""Work on many calls or messages at once, as spans of each of them that is sampled."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping
from contextlib import AbstractContextManager, nullcontext
from contextvars import ContextVar, Token
from types import MappingProxyType
from typing import Literal, NamedTuple, Protocol

Attributes = Mapping[str, str | int]
NO_ATTRIBUTES: Attributes = MappingProxyType({})
Kind = Literal["server", "internal", "producer", "consumer"]


class Span(Protocol):
    """One that is open."""

    @property
    def traceparent(self) -> str:
        """The context of what is done under it."""

    def child(self, name: str, began_ns: int) -> Span:
        """A part of it."""

    def end(
        self,
        *,
        name: str | None = None,
        error: str | None = None,
        ended_ns: int | None = None,
        attributes: Attributes | None = None,
    ) -> None:
        """Told from now on. `error`: what went wrong, as a name, never a text that may quote a value."""


class Above(NamedTuple):
    """Under what a batch is told: a sampled context, and the span there that stands for the batch."""

    traceparent: str
    name: str
    kind: Kind
    attributes: Attributes = NO_ATTRIBUTES


class Spans(Protocol):
    """Where spans are made (`spans.py`)."""

    def open(
        self,
        name: str,
        kind: Kind,
        parent: str | None,
        began_ns: int | None = None,
        attributes: Attributes = NO_ATTRIBUTES,
    ) -> Span: ...

    def close(self) -> None: ...


class Step:
    """A part of a batch, timed; as a context manager."""

    __slots__ = ("_batch", "began_ns", "ended_ns", "error", "name", "within")

    def __init__(self, batch: Batch, name: str) -> None:
        self._batch = batch
        self.name = name
        self.within: int | None = None
        """Which of the batch's steps it is a part of."""
        self.error: str | None = None
        self.began_ns = self.ended_ns = 0

    def __enter__(self) -> None:
        self.within = self._batch.enter(self)
        self.began_ns = time.time_ns()

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self.ended_ns = time.time_ns()
        self.error = None if kind is None else kind.__qualname__
        self._batch.leave()


class Batch:
    """What is done for many at once: told at its end, under each that is sampled, with the same times."""

    def __init__(self, spans: Spans, above: Mapping[Hashable, Above]) -> None:
        self._spans = spans
        self._above = above
        self._transactions: dict[Hashable, list[str]] = {}
        self._steps: list[Step] = []
        self._open: list[int] = []

    def __enter__(self) -> None:
        self._began_ns = time.time_ns()
        self._token: Token[Batch | None] = _current.set(self)

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        _current.reset(self._token)
        ended_ns, error = time.time_ns(), None if kind is None else kind.__qualname__
        for key, above in self._above.items():
            attributes = {**above.attributes, **self._decided(key)}
            root = self._spans.open(above.name, above.kind, above.traceparent, self._began_ns, attributes)
            self._tell_steps(root)
            root.end(error=error, ended_ns=ended_ns)

    def step(self, name: str) -> Step:
        return Step(self, name)

    def decides(self, key: Hashable, transaction_id: str) -> None:
        """A transaction that kept the contract, of what `key` stands for."""
        if key in self._above:
            self._transactions.setdefault(key, []).append(transaction_id)

    def enter(self, step: Step) -> int | None:
        """Returns the place of the step that it is a part of, if it is one."""
        within = self._open[-1] if self._open else None
        self._open.append(len(self._steps))
        self._steps.append(step)
        return within

    def leave(self) -> None:
        self._open.pop()

    def _decided(self, key: Hashable) -> Attributes:
        transactions = self._transactions.get(key, [])
        named = {"bdp.transaction_id": transactions[0]} if len(transactions) == 1 else {}
        return {"bdp.transactions": len(transactions), **named}

    def _tell_steps(self, root: Span) -> None:
        told: list[Span] = []
        for step in self._steps:
            parent = root if step.within is None else told[step.within]
            told.append(parent.child(step.name, step.began_ns))
        for span, step in zip(told, self._steps, strict=True):
            span.end(error=step.error, ended_ns=step.ended_ns)


NOTHING: AbstractContextManager[None] = nullcontext()
_current: ContextVar[Batch | None] = ContextVar("batch", default=None)


def current() -> Batch | None:
    """The batch that this code works on, if anybody wants to know."""
    return _current.get()


def step(name: str) -> AbstractContextManager[None]:
    """Around a step of a batch; nothing where there is no batch."""
    within = _current.get()
    return NOTHING if within is None else within.step(name)
