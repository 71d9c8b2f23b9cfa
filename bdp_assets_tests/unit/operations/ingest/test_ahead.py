from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from bdp_assets.operations.ingest.ahead import one_ahead


def test_items_come_in_order_and_none_is_taken_for_the_end() -> None:
    assert list(one_ahead(iter([1, None, 0, ""]))) == [1, None, 0, ""]
    assert list(one_ahead(iter([]))) == []


def test_the_next_is_made_while_this_one_is_worked_on() -> None:
    second_made = threading.Event()

    def items() -> Iterator[int]:
        yield 1
        second_made.set()
        yield 2

    ahead = one_ahead(items())
    assert next(ahead) == 1
    assert second_made.wait(10), "nobody asked for it yet"
    assert list(ahead) == [2]


def test_but_no_more_than_one() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(10):
            made.append(number)
            yield number

    ahead = one_ahead(items())
    assert [next(ahead), next(ahead)] == [0, 1]
    ahead.close()  # type: ignore[attr-defined]
    assert made == [0, 1, 2]


def test_what_an_item_raises_is_raised_at_its_turn() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("second")

    ahead = one_ahead(items())
    assert next(ahead) == 1
    with pytest.raises(ValueError, match="second"):
        next(ahead)
