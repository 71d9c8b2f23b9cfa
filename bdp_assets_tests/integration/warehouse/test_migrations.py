"""Migrations beside what the server does by itself."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from bdp_assets.clients.postgres import connect
from bdp_assets.operations import migrations
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.stream import until
from bdp_assets_tests.integration.warehouse.conftest import query

pytestmark = pytest.mark.services
WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'warehouse.loads'::regclass"


@pytest.mark.parametrize(
    ("start", "end", "move"), [("0008", "0007", "downgrade"), ("0007", "0008", "upgrade")]
)
def test_the_groups_come_and_go_while_a_table_is_analysed(
    settings: Settings, start: str, end: str, move: str
) -> None:
    """ANALYZE (autovacuum's, too) locks the table, then writes its row of pg_class; REVOKE just writes it."""
    migrations.downgrade(settings, start)
    with ThreadPoolExecutor(1) as pool, connect(settings) as analysis:
        analysis.execute("LOCK TABLE warehouse.loads IN SHARE UPDATE EXCLUSIVE MODE")
        moved = pool.submit(getattr(migrations, move), settings, end)
        until(lambda: query(settings, WAITING) == [(1,)])
        analysis.execute("ANALYZE warehouse.loads")
        analysis.commit()
        assert moved.result().current == end
