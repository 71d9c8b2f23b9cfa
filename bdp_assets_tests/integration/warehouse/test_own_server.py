"""A PostgreSQL of one's own, where the platform's login is no superuser."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy.engine import make_url

from bdp_assets.clients.lake import Lake
from bdp_assets.operations import migrations
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.warehouse import world
from bdp_assets_tests.integration.warehouse.conftest import query

pytestmark = pytest.mark.services
GROUPS = "bdp_reader, bdp_writer, bdp_owner"


@pytest.fixture
def own_server(platform: Platform) -> Iterator[Settings]:
    """As a login that owns the database and may create roles, on a server that knows no group yet."""
    root = platform.settings
    query(root, f"DROP TABLE IF EXISTS alembic_version; DROP ROLE IF EXISTS {GROUPS}")
    query(root, "CREATE ROLE test_migrator LOGIN CREATEROLE PASSWORD 'secret'")
    query(root, "ALTER DATABASE bdp OWNER TO test_migrator")
    url = make_url(root.postgres()).set(username="test_migrator", password="secret")
    yield root.model_copy(update={"postgres_url": url.render_as_string(hide_password=False)})
    query(root, "ALTER DATABASE bdp OWNER TO CURRENT_USER")
    query(root, f"DROP SCHEMA IF EXISTS warehouse CASCADE; DROP TABLE alembic_version; DROP ROLE {GROUPS}")
    query(root, "DROP ROLE test_migrator")


def test_a_login_that_may_create_roles_migrates_loads_and_goes_back(own_server: Settings, lake: Lake) -> None:
    world.fill(lake)
    for _ in range(2):  # the second time, the groups are there
        assert migrations.upgrade(own_server).up_to_date
        load(own_server, lake, world.FIRST, world.LABELS_LAST)
        assert query(own_server, "SELECT count(*) FROM warehouse.transactions") == [(240,)]
        assert migrations.downgrade(own_server, "base").current is None
