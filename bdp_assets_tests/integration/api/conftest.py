"""A store and a model of one's own, and the service on them as users start it."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bdp_assets.clients import kafka
from bdp_assets.contracts.topics import ADJUSTMENTS, RAW
from bdp_assets.contracts.topics import LABELS as LABELS_TOPIC
from bdp_assets.runtime import valkey
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform, free_ports
from bdp_assets_tests.integration.running_api import (
    RunningApi,
    fill,
    running,
    serving,
    wait_until,
)


@pytest.fixture(scope="module")
def settings(platform: Platform, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    own = {
        **free_ports(),
        "kafka_bootstrap": platform.kafka,
        "home": tmp_path_factory.mktemp("api"),
        "api_auth": "open",  # the default beside a broker of one's own is `required`
    }
    settings = Settings(_env_file=None, **own)  # type: ignore[call-arg, arg-type]
    topics = (RAW, LABELS_TOPIC, ADJUSTMENTS)
    kafka.ensure_topics(settings, [kafka.TopicSpec(one.name, one.partitions) for one in topics])
    return settings


@pytest.fixture(scope="module")
def store(settings: Settings) -> Iterator[subprocess.Popen[bytes]]:
    (settings.home / "redis").mkdir()
    with running(valkey.command(settings), settings, settings.home / "valkey.log") as process:
        wait_until(lambda: valkey.healthy(settings))
        fill(settings)
        yield process


@pytest.fixture(scope="module")
def models(settings: Settings) -> Path:
    """A folder with a champion."""
    settings.models_dir.mkdir()
    (settings.models_dir / "champion").symlink_to(tiny_bundle(settings.models_dir / "1"))
    return settings.models_dir


@pytest.fixture(scope="module")
def api(settings: Settings, store: subprocess.Popen[bytes], models: Path) -> Iterator[RunningApi]:
    with serving(settings) as (url, log):
        yield RunningApi(settings, url, log, store)
