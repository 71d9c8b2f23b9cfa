"""Moments as a person types them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bdp_assets.operations.dead_letters.entries import Place, place_of
from bdp_assets.operations.dead_letters.query import since

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("90m", datetime(2026, 3, 1, 10, 30, tzinfo=UTC)),
        ("2h", datetime(2026, 3, 1, 10, 0, tzinfo=UTC)),
        ("7d", datetime(2026, 2, 22, 12, 0, tzinfo=UTC)),
        ("2026-02-03", datetime(2026, 2, 3, tzinfo=UTC)),
        ("2026-02-03T10:00:00+02:00", datetime(2026, 2, 3, 8, 0, tzinfo=UTC)),
    ],
)
def test_since(text: str, moment: datetime) -> None:
    assert since(text, NOW) == moment


@pytest.mark.parametrize("text", ["", "h", "2 weeks", "-3d", "yesterday", "2026-02-30"])
def test_since_anything_else_says_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="write 90m"):
        since(text, NOW)


def test_places_are_read_as_they_are_shown() -> None:
    assert place_of(str(Place(3, 17))) == Place(3, 17)


@pytest.mark.parametrize("text", ["", "3", "3:", ":17", "a:1", "1:2:3", "-1:2"])
def test_other_places_say_what_to_write(text: str) -> None:
    with pytest.raises(ValueError, match="PARTITION:OFFSET"):
        place_of(text)
