"""Records that are made ahead."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, islice

import pytest

from bdp_assets.operations.load.feed import Feed
from bdp_assets.operations.traffic_journal import Outgoing


def endless() -> Iterator[Outgoing]:
    return (Outgoing(f"T{number}", "C1", b"{}", "genuine") for number in count())


@pytest.mark.parametrize("ahead", [1, 7, 100])
def test_all_come_in_order_and_then_none(ahead: int) -> None:
    with Feed(endless(), calls=20, ahead=ahead) as feed:
        assert [*iter(feed.next, None)] == [*islice(endless(), 20)]


def test_whoever_leaves_early_is_not_held_up() -> None:
    with Feed(endless(), calls=1_000_000, ahead=3) as feed:
        assert feed.next() is not None


def test_what_the_source_raises_comes_in_its_place() -> None:
    def broken() -> Iterator[Outgoing]:
        yield from islice(endless(), 2)
        raise ValueError("no such column")

    with Feed(broken(), calls=10) as feed:
        assert [feed.next(), feed.next()] == [*islice(endless(), 2)]
        with pytest.raises(ValueError, match="no such column"):
            feed.next()
