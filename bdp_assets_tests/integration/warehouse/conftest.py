"""The warehouse, migrated: empty for one test, or full of the small world for the tests of a file."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import connect
from bdp_assets.operations import migrations
from bdp_assets.operations.warehouse.loading import load
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.warehouse import world


@pytest.fixture
def settings(platform: Platform) -> Iterator[Settings]:
    """The warehouse, migrated and empty."""
    migrations.upgrade(platform.settings)
    yield platform.settings
    migrations.downgrade(platform.settings, "base")


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


@pytest.fixture(scope="module")
def world_lake(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    lake = Lake(str(tmp_path_factory.mktemp("lake")))
    world.fill(lake)
    return lake


@pytest.fixture(scope="module")
def loaded(platform: Platform, world_lake: Lake) -> Iterator[Settings]:
    """The warehouse with the whole world in it. A test that changes it changes it back."""
    migrations.upgrade(platform.settings)
    load(platform.settings, world_lake, world.FIRST, world.LABELS_LAST)
    yield platform.settings
    migrations.downgrade(platform.settings, "base")


def query(settings: Settings, statement: str, values: Any = None) -> list[tuple[Any, ...]]:
    """The rows of a statement, which is committed."""
    with connect(settings) as connection:
        cursor = connection.execute(statement, values)  # type: ignore[arg-type]
        return cursor.fetchall() if cursor.description else []


def contents(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table and partition that analysts read, but for the audit of loads."""
    names = query(
        settings,
        "SELECT relname FROM pg_class WHERE relnamespace = 'warehouse'::regnamespace "
        "AND relkind IN ('r', 'v') AND relname <> 'loads'",
    )
    return {name: sorted(query(settings, f"SELECT * FROM warehouse.{name}"), key=repr) for (name,) in names}  # noqa: S608
