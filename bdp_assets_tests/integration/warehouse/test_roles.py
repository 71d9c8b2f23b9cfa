"""What logins of each group may do, tried with logins of their own."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import psycopg
import pytest
from sqlalchemy.engine import make_url

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import WarehouseRefused, WarehouseUnavailable
from bdp_assets.operations import migrations
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.warehouse import world
from bdp_assets_tests.integration.warehouse.conftest import query

pytestmark = pytest.mark.services
LOGINS = {"test_reader": "bdp_reader", "test_writer": "bdp_writer", "test_nobody": None}
TABLES = """
    SELECT relname FROM pg_class WHERE relnamespace = 'warehouse'::regnamespace AND relkind IN ('r', 'p')
"""


@pytest.fixture(scope="module")
def logins(loaded: Settings) -> Iterator[dict[str, Settings]]:
    """Settings with which the platform would work as each of them."""
    for login, group in LOGINS.items():
        query(loaded, f"CREATE ROLE {login} LOGIN PASSWORD 'secret'")
        if group:
            query(loaded, f"GRANT {group} TO {login}")
    yield {login: _as(loaded, login) for login in LOGINS}
    for login in LOGINS:
        query(loaded, f"DROP ROLE {login}")


def _as(settings: Settings, login: str) -> Settings:
    url = make_url(settings.postgres()).set(username=login, password="secret")
    return settings.model_copy(update={"postgres_url": url.render_as_string(hide_password=False)})


def names(settings: Settings, statement: str = TABLES) -> list[str]:
    return [name for (name,) in query(settings, statement)]


def test_a_reader_reads_every_table_and_changes_none(loaded: Settings, logins: dict[str, Settings]) -> None:
    reader = logins["test_reader"]
    tables = names(loaded)
    assert {"transactions", "transactions_2026_03", "loads", "dead_letters"} <= set(tables)
    for table in tables:
        columns = "change_id, changed_by" if table == "list_changes" else "*"
        query(reader, f"SELECT {columns} FROM warehouse.{table} LIMIT 1")  # noqa: S608
        for change in ("DELETE FROM {}", "INSERT INTO {} DEFAULT VALUES", "TRUNCATE {}", "DROP TABLE {}"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                query(reader, change.format(f"warehouse.{table}"))
    refused = (
        "UPDATE warehouse.decisions SET decision = 'approve'",
        "CREATE TABLE warehouse.mine (id integer)",
        "SELECT warehouse.make_month('2030-01-01')",
        "SELECT warehouse.drop_months_before('2030-01-01')",
        "SELECT reason FROM warehouse.list_changes",
    )
    for statement in refused:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(reader, statement)
    assert query(reader, "SELECT count(*) FROM warehouse.label_states") == [(16,)]


def test_a_writer_needs_no_more_to_load(
    loaded: Settings, logins: dict[str, Settings], world_lake: Lake
) -> None:
    """New months included, which readers then see; and it changes no audit and makes no tables."""
    writer = logins["test_writer"]
    made = load(writer, world_lake, world.LAST, date(2026, 7, 1)).made
    assert "transactions_2026_07" in made
    assert query(logins["test_reader"], "SELECT count(*) FROM warehouse.transactions_2026_07") == [(0,)]
    assert load(writer, world_lake, world.FIRST, world.LABELS_LAST).tables["changed"].sum() == 0
    for refused in ("UPDATE warehouse.loads SET rows = 0", "DELETE FROM warehouse.list_changes"):
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            query(writer, refused)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(writer, "CREATE TABLE warehouse.mine (id integer)")
    with pytest.raises(WarehouseRefused, match="InsufficientPrivilege"):
        load(logins["test_reader"], world_lake, world.FIRST, world.FIRST)


def test_the_owner_owns_what_is_there_and_what_will_be(loaded: Settings) -> None:
    """A migration that makes a table as another is found here."""
    others = """
        SELECT relname FROM pg_class WHERE relnamespace = 'warehouse'::regnamespace AND relkind <> 't'
        AND relowner <> 'bdp_owner'::regrole
        UNION ALL SELECT proname FROM pg_proc WHERE pronamespace = 'warehouse'::regnamespace
        AND proowner <> 'bdp_owner'::regrole
    """
    assert names(loaded, others) == []
    assert query(loaded, "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'bdp\\__%' AND rolcanlogin") == [
        (0,)
    ]


def test_a_login_that_may_not_migrate_is_told_what_it_needs(logins: dict[str, Settings]) -> None:
    with pytest.raises(WarehouseUnavailable, match="bdp_owner") as error:
        migrations.downgrade(logins["test_nobody"], "0007")
    assert "secret" not in str(error.value)
