"""Where Dagster keeps what it knows: named in dagster.yaml, for every command of Dagster's in this checkout.

dagster.yaml can take values from variables only. These classes take them from our settings, so that no
variable has to be set first, and no password is in one.
"""

from __future__ import annotations

import time
from typing import Any, Self

import click
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager
from dagster._core.storage.root import LocalArtifactStorage
from dagster._serdes import ConfigurableClassData
from dagster_postgres import DagsterPostgresStorage

from bdp_assets.runtime import one_daemon, postgres
from bdp_assets.settings import Settings, get_settings, is_dagster_dev

PATIENCE_S = 5.0
"""A server that was killed is back by then."""


class Storage(DagsterPostgresStorage):
    """Runs, events and schedules: in the database `dagster` of the platform's PostgreSQL."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        settings = get_settings()
        if settings.postgres_url is None:
            _require_server(settings)
        if is_dagster_dev():
            one_daemon.rest(settings.home)
        return cls(url(settings), inst_data=inst_data)


class Artifacts(LocalArtifactStorage):
    """Files of runs, beside the platform's other state."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(str(get_settings().home / "dagster"), inst_data)


class ComputeLogs(LocalComputeLogManager):
    """What the processes of runs write, beside the platform's other state."""

    @classmethod
    def config_type(cls) -> dict[str, Any]:
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Any) -> Self:
        return cls(str(get_settings().home / "dagster" / "storage"), inst_data=inst_data)


def url(settings: Settings) -> str:
    """It needs psycopg 2 by name: with psycopg 3 its webserver closes its connections; NOTIFY is refused."""
    return settings.postgres("dagster").replace("postgresql://", "postgresql+psycopg2://", 1)


def _require_server(settings: Settings) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not postgres.healthy(settings):
        if time.monotonic() > deadline:
            raise click.ClickException(
                f"Dagster keeps its runs in the platform's PostgreSQL, and none answers on port "
                f"{settings.postgres_port}. Type `bdp up postgres` (or `make demo` for the whole platform), "
                "or set BDP_POSTGRES_URL to a server of yours."
            )
        time.sleep(0.25)
