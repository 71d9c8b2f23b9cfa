"""The prediction API: one process at its port, or replicas with haproxy at that port."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from bdp_assets.project import PROJECT
from bdp_assets.runtime import haproxy, health, web
from bdp_assets.runtime.parts import Program, Say
from bdp_assets.settings import MOST_REPLICAS, Settings

NAME = "api"
NO_MODEL = "no model yet: train one"
NEEDS = ("redis", "kafka", "topics")
STOP_SECONDS = 30
"""Calls under way have ten seconds, then what the spool holds has ten."""


def is_replicated(settings: Settings) -> bool:
    return settings.api_replicas > 1


def service(settings: Settings, port: int) -> list[str]:
    address = ("--host", settings.listen, "--port", str(port))
    code = ("bento.service:FraudService", "--working-dir", str(PROJECT))
    return [sys.executable, "-m", "bentoml", "serve", *code, *address]


def command(settings: Settings) -> list[str]:
    """What answers at the API's port."""
    return haproxy.command(settings) if is_replicated(settings) else service(settings, settings.api_port)


def environment(settings: Settings) -> Mapping[str, str]:
    return _bentoml(settings.home / "bentoml")


def healthy(settings: Settings) -> bool:
    return health.http_ok(settings.api_port, "/health")


def prepare(settings: Settings, say: Say) -> None:
    web.require_pan_key(settings, say)
    if is_replicated(settings):
        haproxy.prepare(settings, say)


def reload_signal(settings: Settings) -> str | None:
    return haproxy.RELOAD if is_replicated(settings) else None


def replica(number: int) -> Program:
    """The replica of that number, from 1. They share the online store; each takes a spool for itself."""
    return Program(
        name=f"{NAME}-{number}",
        command=lambda settings: service(settings, _port(settings, number)),
        healthy=lambda settings: health.http_ok(_port(settings, number), "/health"),
        port="api_replica_port",
        port_step=number - 1,
        url="http://127.0.0.1:{port}",
        needs=NEEDS,
        prepare=web.require_pan_key,
        environment=partial(_replica_environment, number),
        alone=True,
        stop_seconds=STOP_SECONDS,
        wanted=web.has_champion,
        waits_for=NO_MODEL,
        part_of=NAME,
        admit=lambda settings, calls: haproxy.admit(settings, number, calls=calls),
        asked_for=lambda settings: is_replicated(settings) and number <= settings.api_replicas,
    )


def _port(settings: Settings, number: int) -> int:
    return settings.api_replica_port + number - 1


def _replica_environment(number: int, settings: Settings) -> Mapping[str, str]:
    """A home for each: BentoML empties the folder of its home that metrics are kept in as it starts."""
    return _bentoml(settings.home / "bentoml" / "replicas" / str(number))


def _bentoml(home: Path) -> Mapping[str, str]:
    return {"BENTOML_HOME": str(home), "BENTOML_DO_NOT_TRACK": "True"}


REPLICAS = tuple(replica(number) for number in range(1, MOST_REPLICAS + 1))
