"""The scoring stream, and a warehouse that is migrated and empty."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bdp_assets.operations import migrations
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import Stream


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A BDP_HOME with a champion model."""
    home = tmp_path_factory.mktemp("dead-letters")
    tiny_bundle(home / "models" / "tiny")
    (home / "models" / "champion").symlink_to("tiny")
    return home


@pytest.fixture
def stream(platform: Platform, home: Path) -> Iterator[Stream]:
    migrations.upgrade(platform.settings)
    stream = Stream(platform, home)
    # The home of the stream is not that of the services, where PostgreSQL's password is.
    stream.settings = stream.settings.model_copy(update={"postgres_url": platform.postgres})
    stream._environment["BDP_POSTGRES_URL"] = platform.postgres
    yield stream
    migrations.downgrade(platform.settings, "base")
