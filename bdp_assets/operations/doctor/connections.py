"""One round trip to each outside system, timed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from urllib.error import URLError
from urllib.request import urlopen

from bdp_assets.clients import kafka, postgres, redis
from bdp_assets.operations.doctor.finding import Finding, fail, ok
from bdp_assets.settings import Settings

_PATIENCE_S = 5.0


def warehouse(settings: Settings) -> Iterator[Finding]:
    yield _timed("postgres", "BDP_POSTGRES_URL", lambda: _select(settings))


def online_store(settings: Settings) -> Iterator[Finding]:
    yield _timed("redis", "BDP_REDIS_URL", lambda: _ping(settings))


def broker(settings: Settings) -> Iterator[Finding]:
    yield _timed("kafka", "BDP_KAFKA_BOOTSTRAP", lambda: _metadata(settings))


def registry(settings: Settings) -> Iterator[Finding]:
    yield _timed("mlflow", "BDP_MLFLOW_URI", lambda: _health(settings))


def _timed(name: str, variable: str, visit: Callable[[], str]) -> Finding:
    began = time.perf_counter()
    try:
        answer = visit()
    except (
        postgres.WarehouseUnavailable,
        redis.StoreUnavailable,
        kafka.KafkaUnavailable,
        kafka.KafkaRefused,
        URLError,
    ) as error:
        return fail(name, str(error), f"Start it (`bdp up {name}`), or check {variable} if it is your own.")
    return ok(name, answer, round((time.perf_counter() - began) * 1000, 1))


def _select(settings: Settings) -> str:
    with postgres.connect(settings) as connection:
        row = connection.execute("select current_setting('server_version')").fetchone()
    return f"PostgreSQL {row[0] if row else 'of unknown version'}"


def _ping(settings: Settings) -> str:
    return redis.describe(redis.connect(settings))


def _metadata(settings: Settings) -> str:
    kafka.watermarks(settings, [])  # the cluster's metadata, and no topic's offsets
    return "the broker answers"


def _health(settings: Settings) -> str:
    with urlopen(f"{settings.mlflow}/version", timeout=_PATIENCE_S) as answer:  # noqa: S310 - the URL is our own setting
        return f"MLflow {answer.read().decode()}"
