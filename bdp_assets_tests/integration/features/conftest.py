"""The servers that the online store runs on: the wheel's Valkey, Debian's Redis, a cluster of three."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from bdp_assets.clients.redis import Redis, connect
from bdp_assets.clients.redis_cluster import Cluster
from bdp_assets.features.online import OnlineStore
from bdp_assets.runtime import valkey
from bdp_assets.settings import Settings
from bdp_assets_tests.integration.features.servers import cluster, single

SERVERS = ("valkey", "redis-server", "cluster")


@pytest.fixture(scope="session", params=SERVERS)
def server(request: pytest.FixtureRequest) -> str:
    """Which one: what is proved here is proved on each."""
    return str(request.param)


@pytest.fixture(scope="session")
def store_settings(server: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    """Patient, since examples share two cores with whatever else runs."""
    home = tmp_path_factory.mktemp(server)
    if server == "cluster":
        running = cluster(str(valkey.binary()), home)
    else:
        running = single(str(valkey.binary()) if server == "valkey" else _debians(), home)
    with running as url:
        yield Settings(_env_file=None, redis_url=url, redis_timeout_ms=10_000)  # type: ignore[call-arg]


@pytest.fixture(scope="session")
def store_client(store_settings: Settings) -> Iterator[Redis]:
    """Not empty: each test or example empties it."""
    client = connect(store_settings)
    opened = client.open() if isinstance(client, Cluster) else client
    yield opened
    opened.close()


@pytest.fixture
def store(store_client: Redis) -> OnlineStore:
    """Empty, and never filled."""
    store_client.flushdb()
    return OnlineStore(store_client)


def _debians() -> str:
    found = shutil.which("redis-server")
    if found is None:
        if os.environ.get("CI") == "true":
            pytest.fail("there is no redis-server: .ci/run installs it")
        pytest.skip("no redis-server on this machine: apt-get install redis-server")
    return found
