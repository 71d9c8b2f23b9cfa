"""docs/analytics.md says what the catalog says."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.contracts.money import BASE_CURRENCY
from bdp_assets.features.times import span
from bdp_assets.streaming.analytics.catalog import DIMENSIONS, HIGH_VALUE_BASE_MINOR, WINDOWS

TEXT = (Path(__file__).parents[4] / "docs" / "analytics.md").read_text()


def row(name: str) -> str:
    (found,) = [line for line in TEXT.splitlines() if line.startswith(f"| {name} |")]
    return found


def test_every_window_is_there_with_its_grace() -> None:
    names, told = row("windows").split("`")[1::2], row("windows").split("`")[2::2]
    assert names == [window.name for window in WINDOWS]
    for window, text in zip(WINDOWS, told, strict=True):
        assert text.replace("grace ", "").replace(" min)", "min)").count(f"({span(window.grace_ms)})") == 1


def test_groups_and_the_threshold_are_those_of_the_catalog() -> None:
    for dimension in DIMENSIONS:
        assert dimension.replace("_", " ") in row("groups")
    assert f"{HIGH_VALUE_BASE_MINOR // 100:,} {BASE_CURRENCY} or more" in row("figures")
