from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bdp_assets.contracts.records import ListKind, ListName
from bdp_assets.operations.lists.wishes import Place, Why, expiry
from bdp_assets.runtime.problems import Problem

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
PAN = "4111111111111111"


def test_a_place_is_what_a_transaction_may_have() -> None:
    assert Place.of("block", "device", "d:1") == Place(ListName.BLOCK, ListKind.DEVICE, "d:1")


@pytest.mark.parametrize(
    ("list_", "kind", "id_", "says"),
    [
        ("grey", "customer", "c", "block, allow"),
        ("block", "country", "c", "customer, merchant, device"),
        ("block", "customer", "secret id", "An id is"),
        ("block", "customer", f"{PAN}", "holds a card number"),
    ],
)
def test_another_place_is_refused_and_what_was_typed_is_not_repeated(
    list_: str, kind: str, id_: str, says: str
) -> None:
    with pytest.raises(Problem, match=says) as refused:
        Place.of(list_, kind, id_)
    assert "secret" not in str(refused.value)
    assert PAN not in str(refused.value)


@pytest.mark.parametrize(
    ("reason", "by"),
    [
        ("", "ann"),
        ("x" * 301, "ann"),
        ("two\nlines", "ann"),
        (f"card {PAN}", "ann"),
        ("good", ""),
        ("good", PAN),
    ],
)
def test_who_and_why_are_said_in_a_line_without_card_numbers(reason: str, by: str) -> None:
    with pytest.raises(Problem) as refused:
        Why(reason, by)
    assert PAN not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "ends"),
    [
        (None, None),
        ("12h", NOW + timedelta(hours=12)),
        ("30d", NOW + timedelta(days=30)),
        ("2026-11-29", datetime(2026, 11, 29, tzinfo=UTC)),
    ],
)
def test_an_entry_ends_after_a_time_or_as_a_day_begins(text: str | None, ends: datetime | None) -> None:
    assert expiry(text, NOW) == ends


@pytest.mark.parametrize("text", ["", "0d", "5", "5w", "2026-11-28", "2026-02-30", "-1d", "99999999d"])
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    with pytest.raises(Problem, match="no time at which"):
        expiry(text, NOW)
