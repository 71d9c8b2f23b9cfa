"""What differs between two countings is told, each of it."""

from __future__ import annotations

from bdp_assets.operations.backup.counting import differences


def test_the_same_differs_in_nothing() -> None:
    counts = {"lake": {"raw rows": 7}, "topics": {}}
    assert differences(counts, {"lake": {"raw rows": 7}}) == []


def test_more_less_gone_and_new_are_told() -> None:
    before = {"lake": {"raw rows": 7, "labels rows": 1_000}, "postgres": {"bdp.public.gone": 2}}
    after = {"lake": {"raw rows": 8, "labels rows": 1}, "postgres": {"bdp.public.new": 0}}
    assert differences(before, after) == [
        "lake: labels rows was 1,000, is 1",
        "lake: raw rows was 7, is 8",
        "postgres: bdp.public.gone was 2, is not there",
        "postgres: bdp.public.new was not there, is 0",
    ]
