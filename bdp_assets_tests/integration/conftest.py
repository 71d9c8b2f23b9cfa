"""The real PostgreSQL, Valkey and Kafka for tests: own ports, own folder, started once for each test process.

`platform` starts them when the first test asks, and stops them at the end of the run whatever happens. What a
killed run left behind is ended and removed by the next one.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
import pytest

from bdp_assets.runtime import orphans, ports
from bdp_assets.runtime import platform as runtime
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

PORTS = (
    "api_port",
    "mlflow_port",
    "dagster_port",
    "kafka_port",
    "kafka_controller_port",
    "postgres_port",
    "redis_port",
)


@dataclass(frozen=True)
class Platform:
    """Running services and the settings that reach them; shared by all tests, so use names of your own."""

    settings: Settings

    @property
    def kafka(self) -> str:
        """host:port"""
        return self.settings.kafka

    @property
    def redis(self) -> str:
        """redis://..."""
        return self.settings.redis

    @property
    def postgres(self) -> str:
        """postgresql://... of the database bdp; not migrated."""
        return self.settings.postgres()

    @property
    def environment(self) -> dict[str, str]:
        """For a process that shall reach the same services."""
        ports = {f"BDP_{name.upper()}": str(getattr(self.settings, name)) for name in PORTS}
        others = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
        return {**others, **ports, "BDP_HOME": str(self.settings.home)}


def make_settings(home: Path) -> Settings:
    """Embedded services on free ports in `home`, whatever the developer's environment says."""
    replaced = dict.fromkeys(("kafka_bootstrap", "postgres_url", "redis_url", "mlflow_uri", "lake_url"))
    return Settings(_env_file=None, home=home, **replaced, **free_ports())  # type: ignore[call-arg, arg-type]


def free_ports() -> dict[str, int]:
    """A free port for each name in PORTS."""
    return ports.choose_free(PORTS)


@pytest.fixture(scope="session")
def services_home() -> Iterator[Path]:
    """A folder that every user can enter (PostgreSQL does not run as root), removed at the end."""
    remove_leftovers()
    home = Path(tempfile.mkdtemp(prefix=f"bdp-test-{os.getpid()}-"))
    home.chmod(0o755)
    yield home
    shutil.rmtree(home, ignore_errors=True)


def remove_leftovers() -> None:
    for home in Path(tempfile.gettempdir()).glob("bdp-test-*"):
        owner = int(home.name.split("-")[2])
        if not psutil.pid_exists(owner) and home.stat().st_uid == os.geteuid():
            orphans.end(orphans.find(home), patience_s=3)
            shutil.rmtree(home, ignore_errors=True)


@pytest.fixture(scope="session")
def platform(services_home: Path) -> Iterator[Platform]:
    """PostgreSQL, Valkey and Kafka: up, and empty at the start of the run."""
    settings = make_settings(services_home)
    try:
        runtime.up(settings, ["postgres", "redis", "kafka"])
        yield Platform(settings)
    except Problem as problem:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no services: {problem}")
    finally:
        runtime.down(settings)
