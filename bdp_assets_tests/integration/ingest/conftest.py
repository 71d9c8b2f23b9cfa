"""A MariaDB server, once for each test process that asks."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bdp_assets_tests.integration.ingest.databases import MariaDb, mariadb


@pytest.fixture(scope="session")
def maria(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MariaDb]:
    with mariadb(tmp_path_factory.mktemp("maria")) as url:
        yield MariaDb(url)
