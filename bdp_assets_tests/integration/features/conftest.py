"""A database of the real server for the feature tests alone."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bdp_assets.clients.redis import Redis, connect
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.conftest import Platform


@pytest.fixture(scope="session")
def store_settings(platform: Platform) -> Settings:
    """Patient, since examples share two cores with whatever else runs."""
    url = platform.redis.rsplit("/", 1)[0] + "/9"
    return platform.settings.model_copy(update={"redis_url": url, "redis_timeout_ms": 10_000})


@pytest.fixture(scope="session")
def store_client(store_settings: Settings) -> Iterator[Redis]:
    """Not empty: each test or example empties it."""
    with connect(store_settings) as client:
        yield client
        client.flushdb()
