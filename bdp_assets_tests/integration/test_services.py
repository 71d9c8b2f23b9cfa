"""The fixture's services answer to their drivers."""

from __future__ import annotations

import psycopg
import pytest
import redis
from confluent_kafka.admin import AdminClient

from bdp_assets_tests.integration.conftest import Platform

pytestmark = pytest.mark.services


def test_each_service_answers_its_driver(platform: Platform) -> None:
    with psycopg.connect(platform.postgres) as connection:
        assert connection.execute("select current_user").fetchone() == ("bdp",)
    assert redis.Redis.from_url(platform.redis).ping()
    assert AdminClient({"bootstrap.servers": platform.kafka}).list_topics(timeout=10).brokers.keys() == {1}
