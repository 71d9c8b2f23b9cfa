"""The Dagster asset: a backfill of the whole world is one run."""

from __future__ import annotations

from collections.abc import Iterator

import dagster as dg
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.definitions import defs
from bdp_assets.settings import Settings, get_settings
from bdp_assets_tests.integration.warehouse import world
from bdp_assets_tests.integration.warehouse.conftest import query

pytestmark = pytest.mark.services
WAREHOUSE = dg.AssetKey(["serving", "warehouse"])


@pytest.fixture
def environment(settings: Settings, lake: Lake, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """That of a run."""
    monkeypatch.setenv("BDP_POSTGRES_URL", settings.postgres())
    monkeypatch.setenv("BDP_LAKE_URL", lake.url)
    get_settings.cache_clear()
    yield
    get_settings.cache_clear()


def test_a_backfill_of_the_asset_fills_the_star(environment: None, settings: Settings, lake: Lake) -> None:
    world.fill(lake)
    tags = {
        "dagster/asset_partition_range_start": world.FIRST.isoformat(),
        "dagster/asset_partition_range_end": world.LABELS_LAST.isoformat(),
    }
    run = defs.resolve_implicit_global_asset_job_def().execute_in_process(
        asset_selection=[WAREHOUSE], instance=dg.DagsterInstance.ephemeral(), tags=tags
    )
    assert run.success
    [event, *_] = run.asset_materializations_for_node("serving__warehouse")
    assert "| warehouse.transactions | 240 | 240 |" in str(event.metadata["tables"].value)
    assert query(settings, "SELECT sum(transactions) FROM warehouse.daily_figures") == [(240,)]
