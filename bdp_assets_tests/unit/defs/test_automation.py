from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from bdp_assets.definitions import defs

ENRICHED = dg.AssetKey(["clean", "enriched_transactions"])
FEATURES = dg.AssetKey(["features", "transactions"])
WAREHOUSE = dg.AssetKey(["serving", "warehouse"])
SHADOW = dg.AssetKey(["serving", "shadow_scores"])
LABELS = dg.AssetKey(["raw", "labels"])


class Ticks:
    """The automation sensor's evaluations, one after the other."""

    def __init__(self, instance: dg.DagsterInstance) -> None:
        self.instance = instance
        self.cursor: dg.AutomationConditionCursor | None = None  # type: ignore[name-defined]
        self.requested({})

    def requested(self, events: dict[dg.AssetKey, str]) -> dict[dg.AssetKey, set[str]]:
        """Report these assets as materialised for a day, then see which days are asked for."""
        for key, day in events.items():
            self.instance.report_runless_asset_event(dg.AssetMaterialization(key, partition=day))
        result = dg.evaluate_automation_conditions(defs, self.instance, cursor=self.cursor)
        self.cursor = result.cursor
        return {key: result.get_requested_partitions(key) for key in (FEATURES, WAREHOUSE, SHADOW)}  # type: ignore[misc]


@pytest.fixture
def ticks(home: Path, instance: dg.DagsterInstance) -> Iterator[Ticks]:
    yield Ticks(instance)


def test_a_day_that_landed_has_its_features_made_again(ticks: Ticks) -> None:
    requested = ticks.requested({ENRICHED: "2026-02-03"})
    assert "2026-02-03" in requested[FEATURES]
    assert "2026-02-02" not in requested[FEATURES], "no feature looks ahead"


def test_a_late_label_moves_the_days_that_its_windows_reach(ticks: Ticks) -> None:
    requested = ticks.requested({LABELS: "2026-02-03"})[FEATURES]
    assert {"2026-02-03", "2026-02-20", "2026-03-05"} <= requested
    assert "2026-08-01" not in requested


def test_what_lands_while_a_run_is_under_way_is_asked_for_again(ticks: Ticks) -> None:
    asked, nothing = ({"2026-02-03"}, set[str]())
    assert ticks.requested({LABELS: "2026-02-03"})[WAREHOUSE] == asked
    assert ticks.requested({LABELS: "2026-02-03"})[WAREHOUSE] == asked
    # The run may have read before the label came, and ended after it: both are seen in one look.
    assert ticks.requested({LABELS: "2026-02-03", WAREHOUSE: "2026-02-03"})[WAREHOUSE] == asked
    assert ticks.requested({WAREHOUSE: "2026-02-03"})[WAREHOUSE] == nothing


def test_nothing_changed_asks_for_nothing(ticks: Ticks) -> None:
    assert ticks.requested({}) == {FEATURES: set(), WAREHOUSE: set(), SHADOW: set()}


def test_a_failed_blocking_check_upstream_stops_what_follows(ticks: Ticks) -> None:
    check = dg.AssetCheckEvaluation(
        asset_key=ENRICHED, check_name="enriched_transactions_schema", passed=False, blocking=True
    )
    ticks.instance.report_runless_asset_event(check)
    assert ticks.requested({ENRICHED: "2026-02-03"})[FEATURES] == set()


def test_the_warehouse_and_the_challenger_follow_decisions(ticks: Ticks) -> None:
    requested = ticks.requested({dg.AssetKey(["serving", "predictions"]): "2026-02-03"})
    assert requested[WAREHOUSE] == requested[SHADOW] == {"2026-02-03"}
