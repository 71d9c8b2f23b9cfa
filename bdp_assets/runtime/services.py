"""What the local platform runs. One row a program; `bdp up` starts them in the order of their needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from bdp_assets.runtime import api, kafka, monitoring, postgres, valkey, web
from bdp_assets.runtime.parts import Part, Program
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

_HTTP = "http://127.0.0.1:{port}"
_PLAIN = "127.0.0.1:{port}"

PROGRAMS: tuple[Program, ...] = (
    Program(
        name="postgres",
        command=postgres.command,
        healthy=postgres.healthy,
        port="postgres_port",
        url=_PLAIN,
        replaced_by="postgres_url",
        prepare=postgres.prepare,
        # INT is PostgreSQL's fast stop: it does not wait for clients to leave.
        stop_signal="INT",
        stop_seconds=60,
    ),
    Program(
        name="redis",
        command=valkey.command,
        healthy=valkey.healthy,
        port="redis_port",
        url=_PLAIN,
        replaced_by="redis_url",
        prepare=valkey.prepare,
        environment=valkey.environment,
    ),
    Program(
        name="kafka",
        command=kafka.command,
        healthy=kafka.healthy,
        port="kafka_port",
        more_ports=("kafka_controller_port",),
        url=_PLAIN,
        replaced_by="kafka_bootstrap",
        prepare=kafka.prepare,
        stop_seconds=60,
    ),
    Program(
        name="mlflow",
        command=web.mlflow,
        healthy=web.mlflow_healthy,
        port="mlflow_port",
        url=_HTTP,
        needs=("postgres",),
        replaced_by="mlflow_uri",
        environment=web.mlflow_environment,
    ),
    Program(
        name="dagster-code",
        command=web.dagster_code,
        healthy=web.dagster_code_healthy,
        port="dagster_code_port",
        url=_PLAIN,
        needs=("postgres",),
        prepare=web.dagster_prepare,
        environment=web.dagster_environment,
        stop_seconds=30,
    ),
    Program(
        name="dagster-webserver",
        command=web.dagster_webserver,
        healthy=web.dagster_webserver_healthy,
        port="dagster_port",
        url=_HTTP,
        needs=("dagster-code",),
        prepare=web.dagster_prepare,
        environment=web.dagster_environment,
    ),
    Program(
        name="dagster-daemon",
        command=web.dagster_daemon,
        healthy=web.dagster_daemon_healthy,
        # Its sensors ask Kafka, and its runs write tables; whether it is well, the webserver knows.
        needs=("dagster-webserver", "migrations", "topics"),
        prepare=web.dagster_prepare,
        environment=web.dagster_environment,
        alone=True,
        stop_seconds=30,
    ),
    Program(
        name=api.NAME,
        command=api.command,
        healthy=api.healthy,
        port="api_port",
        url=_HTTP,
        needs=api.NEEDS,
        prepare=api.prepare,
        environment=api.environment,
        reload_signal=api.reload_signal,
        alone=True,
        stop_seconds=api.STOP_SECONDS,
        wanted=web.has_champion,
        waits_for=api.NO_MODEL,
    ),
    *api.REPLICAS,
    Program(
        name="scoring",
        command=web.scoring,
        healthy=web.scoring_healthy,
        needs=("redis", "kafka", "topics"),
        prepare=web.require_pan_key,
        wanted=web.has_champion,
        waits_for=api.NO_MODEL,
        environment=monitoring.worker_environment,
        stop_seconds=30,
    ),
    Program(
        name="labels",
        command=web.labels,
        healthy=web.labels_healthy,
        needs=("redis", "kafka", "topics"),
        environment=monitoring.worker_environment,
        stop_seconds=30,
    ),
    Program(
        name="analytics",
        command=web.analytics,
        healthy=web.analytics_healthy,
        needs=("postgres", "kafka", "topics", "migrations"),
        prepare=web.require_pan_key,
        environment=monitoring.worker_environment,
        stop_seconds=30,
    ),
    # These need nothing of the platform: they are to say what of it is away.
    Program(
        name=monitoring.EXPORTER,
        command=monitoring.exporter,
        healthy=monitoring.exporter_healthy,
        port="exporter_port",
        url=_HTTP,
        asked_for=monitoring.is_on,
    ),
    Program(
        name=monitoring.ALERTMANAGER,
        command=monitoring.alertmanager,
        healthy=monitoring.alertmanager_healthy,
        port="alertmanager_port",
        url=_HTTP,
        prepare=monitoring.prepare_alertmanager,
        asked_for=monitoring.is_on,
        reload_signal=lambda _settings: monitoring.RELOAD,
    ),
    Program(
        name=monitoring.PROMETHEUS,
        command=monitoring.prometheus,
        healthy=monitoring.prometheus_healthy,
        port="prometheus_port",
        url=_HTTP,
        prepare=monitoring.prepare_prometheus,
        asked_for=monitoring.is_on,
        reload_signal=lambda _settings: monitoring.RELOAD,
    ),
)

BY_NAME: Mapping[str, Program] = MappingProxyType({program.name: program for program in PROGRAMS})


def find(name: str) -> Program:
    """The program of that name. Raises Problem that lists the names there are."""
    if name not in BY_NAME:
        known = ", ".join(program.name for program in PROGRAMS if program.part_of is None)
        raise Problem(f"There is no program called {name!r}.", f"The programs are: {known}.")
    return BY_NAME[name]


def embedded(settings: Settings) -> list[Program]:
    """The programs that the settings leave to us (no URL of your own in their place), as many as they say."""
    return [
        program for program in PROGRAMS if program.asked_for(settings) and not program.is_replaced(settings)
    ]


def members(name: str) -> list[Program]:
    """The programs that come and go with `name`, whatever the settings say."""
    return [program for program in PROGRAMS if program.part_of == name]


def port_settings() -> list[str]:
    """Names of the settings with the programs' ports."""
    return list(dict.fromkeys(port for program in PROGRAMS for port in program.ports))


def selection(parts: Iterable[Part], names: Iterable[str]) -> dict[str, Part]:
    """The named parts and all that they need, by name; every part when no name is given."""
    everything = {part.name: part for part in parts}
    chosen: dict[str, Part] = {}
    open_names = list(names) or list(everything)
    while open_names:
        part = everything.get(open_names.pop())
        if part is not None and part.name not in chosen:
            chosen[part.name] = part
            open_names += part.needs
    return {name: part for name, part in everything.items() if name in chosen}


def dependants(name: str) -> list[str]:
    """Programs that need `name`, directly or through others: they stop before it."""
    return [
        program.name
        for program in PROGRAMS
        if program.name != name and name in selection(PROGRAMS, [program.name])
    ]
