"""Prometheus and Alertmanager beside the platform: Debian's packages; configured by `deploy/monitoring`.

Those files are what the programs read, whole. What only the settings know is added as they start: whom
Prometheus asks (`targets/`, in its own format for that), and whom Alertmanager tells.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import yaml

from bdp_assets.runtime import api, health
from bdp_assets.runtime.home import PROJECT
from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings

CONFIGURATION = PROJECT / "deploy" / "monitoring"
KEPT_FOR = "15d"
RELOAD = "HUP"
# Debian's names come first.
_PROMETHEUS = ("prometheus",)
_ALERTMANAGER = ("prometheus-alertmanager", "alertmanager")
EXPORTER, PROMETHEUS, ALERTMANAGER = "exporter", "prometheus", "alertmanager"
NAMES = (EXPORTER, PROMETHEUS, ALERTMANAGER)
WORKERS = ("scoring", "labels", "analytics")
"""Programs that serve metrics only where monitoring is on."""


def is_on(settings: Settings) -> bool:
    return settings.monitoring


def folder(settings: Settings) -> Path:
    """Configuration and data of both."""
    return settings.home / "prometheus"


def _required(names: tuple[str, ...]) -> str:
    found = next((path for name in names if (path := shutil.which(name))), None)
    if found is None:
        raise Problem(
            f"{names[0]} is not installed, and monitoring needs it.",
            "Install both (Debian: `RUNLEVEL=1 apt-get install --no-install-recommends prometheus "
            "prometheus-alertmanager`; RUNLEVEL=1 keeps their services off), or `bdp up --no-monitoring`.",
        )
    return found


def required() -> tuple[str, str]:
    """Paths of Prometheus and Alertmanager. Raises Problem where one is not installed."""
    return _required(_PROMETHEUS), _required(_ALERTMANAGER)


def exporter(_settings: Settings) -> list[str]:
    return [sys.executable, "-m", "bdp_assets.cli.main", "metrics", "serve"]


def exporter_healthy(settings: Settings) -> bool:
    return health.http_ok(settings.exporter_port, "/metrics")


def prometheus(settings: Settings) -> list[str]:
    return [
        _required(_PROMETHEUS),
        f"--config.file={folder(settings) / 'prometheus.yml'}",
        f"--storage.tsdb.path={folder(settings) / 'data'}",
        f"--storage.tsdb.retention.time={KEPT_FOR}",
        f"--web.listen-address={LOOPBACK}:{settings.prometheus_port}",
    ]


def prometheus_healthy(settings: Settings) -> bool:
    return health.http_ok(settings.prometheus_port, "/-/ready")


def prepare_prometheus(settings: Settings, _say: Say) -> None:
    """Put configuration, rules and targets in their places. Raises Problem, OSError."""
    _required(_PROMETHEUS)
    home = folder(settings)
    (home / "targets").mkdir(parents=True, exist_ok=True)
    shutil.copy(CONFIGURATION / "prometheus.yml", home)
    shutil.copytree(CONFIGURATION / "rules", home / "rules", dirs_exist_ok=True)
    for job, found in targets(settings).items():
        (home / "targets" / f"{job}.json").write_text(json.dumps(found, indent=1))


def targets(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """Job -> whom Prometheus asks, as its file_sd wants it; the label `program` is the supervisor's name."""
    from bdp_assets.streaming.groups import METRICS_PORTS

    ports = {name: settings.worker_metrics_port + METRICS_PORTS[name] for name in WORKERS}
    return {
        "api": [_target(name, port) for name, port in _api_ports(settings).items()],
        "stream": [_target(name, port) for name, port in ports.items()],
        EXPORTER: [_target(EXPORTER, settings.exporter_port)],
        PROMETHEUS: [_target(PROMETHEUS, settings.prometheus_port)],
        ALERTMANAGER: [_target(ALERTMANAGER, settings.alertmanager_port)],
    }


def _api_ports(settings: Settings) -> dict[str, int]:
    if not api.is_replicated(settings):
        return {api.NAME: settings.api_port}
    return {f"{api.NAME}-{i}": port for i, port in enumerate(settings.api_replica_ports, 1)}


def _target(program: str, port: int) -> dict[str, object]:
    return {"targets": [f"{LOOPBACK}:{port}"], "labels": {"program": program}}


def alertmanager(settings: Settings) -> list[str]:
    return [
        _required(_ALERTMANAGER),
        f"--config.file={folder(settings) / 'alertmanager.yml'}",
        f"--storage.path={folder(settings) / 'alertmanager'}",
        f"--web.listen-address={LOOPBACK}:{settings.alertmanager_port}",
        "--cluster.listen-address=",  # One is enough on one machine, and it need not look for others.
    ]


def alertmanager_healthy(settings: Settings) -> bool:
    return health.http_ok(settings.alertmanager_port, "/-/ready")


def prepare_alertmanager(settings: Settings, _say: Say) -> None:
    """Write its configuration, with the webhook's URL, so for our eyes alone. Raises Problem, OSError."""
    _required(_ALERTMANAGER)
    folder(settings).mkdir(parents=True, exist_ok=True)
    file = folder(settings) / "alertmanager.yml"
    file.touch(mode=0o600)
    file.write_text(routing(settings))


def routing(settings: Settings) -> str:
    """`deploy/monitoring/alertmanager.yml` with the webhook, where there is one, as every receiver's."""
    configuration = yaml.safe_load((CONFIGURATION / "alertmanager.yml").read_text())
    if settings.alert_webhook is not None:
        hook = {"url": settings.alert_webhook.get_secret_value(), "send_resolved": True}
        for receiver in configuration["receivers"]:
            receiver["webhook_configs"] = [hook]
    return yaml.safe_dump(configuration, sort_keys=False)
