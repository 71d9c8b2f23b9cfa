"""One item ahead: the next is made while somebody works on this one."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def one_ahead(items: Iterator[T]) -> Iterator[T]:
    """The items, in order. They are made in one thread of their own; what that raises is raised at its turn.

    Whoever stops early waits for the item under way.
    """
    with ThreadPoolExecutor(1, "ahead") as thread:
        following = thread.submit(_next, items)
        while made := following.result():
            following = thread.submit(_next, items)
            yield made[0]


def _next(items: Iterator[T]) -> tuple[T] | None:
    """The next item by itself in a tuple, so that none is taken for the end."""
    for item in items:
        return (item,)
    return None
