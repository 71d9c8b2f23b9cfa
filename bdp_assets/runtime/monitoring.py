"""Prometheus and Alertmanager beside the platform: Debian's packages; configured by `deploy/monitoring`.

Those files are what the programs read, whole. What only the settings know is added as they start: whom
Prometheus asks (`targets/`, in its own format for that), and whom Alertmanager tells.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import yaml

from bdp_assets.project import FILES
from bdp_assets.runtime import api, health, web
from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import LOOPBACK, Settings
from bdp_assets.streaming.groups import metrics_port

CONFIGURATION = FILES / "deploy" / "monitoring"
KEPT_FOR = "15d"
RELOAD = "HUP"
# Debian's names come first.
_PROMETHEUS = ("prometheus",)
_ALERTMANAGER = ("prometheus-alertmanager", "alertmanager")
EXPORTER, PROMETHEUS, ALERTMANAGER = "exporter", "prometheus", "alertmanager"
STREAM = "stream"
WATCHING = ("BDP_MONITORING", "BDP_ALERT_WEBHOOK")
NAMES = (EXPORTER, PROMETHEUS, ALERTMANAGER)
WORKERS = ("scoring", "labels", "analytics")
"""Programs that serve metrics only where monitoring is on."""


def worker_environment(settings: Settings) -> Mapping[str, str]:
    """What makes a stream worker show its metrics."""
    return {"BDP_MONITORING": "true"} if settings.monitoring else {}


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
    write_targets(settings)
    shutil.copy(CONFIGURATION / "prometheus.yml", home)
    shutil.copytree(CONFIGURATION / "rules", home / "rules", dirs_exist_ok=True)


def write_targets(settings: Settings) -> None:
    """Prometheus looks at these files by itself when they change. Raises OSError.

    Further workers that ended without taking their own file away, and did not come back, are forgotten.
    """
    for file in _announced(settings):
        if not any(health.http_ok(port, "/metrics") for port in _listed(file).values()):
            file.unlink(missing_ok=True)
    for job, found in targets(settings).items():
        _write(settings, job, found)


def _write(settings: Settings, name: str, found: list[dict[str, object]]) -> Path:
    place = _targets_folder(settings)
    place.mkdir(parents=True, exist_ok=True)
    # Renamed, not written: Prometheus may look at any moment.
    new = place / f"{name}.json.new"
    new.write_text(json.dumps(found, indent=1))
    return new.replace(place / f"{name}.json")


def _targets_folder(settings: Settings) -> Path:
    return folder(settings) / "targets"


@contextmanager
def announced(settings: Settings, kind: str, slot: int) -> Iterator[None]:
    """Have Prometheus ask a further worker (slot 1 and up) for as long as it runs. Raises OSError.

    Killed, it leaves its file behind: it is down then, and an alert says so, until it runs again or `bdp up`
    forgets it. Slot 0 is the supervisor's own program.
    """
    if not (settings.monitoring and slot):
        yield
        return
    port = metrics_port(settings, kind, slot)
    file = _write(settings, f"{STREAM}-{kind}-{slot}", [_target(f"{kind}-{slot}", port)])
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def _announced(settings: Settings) -> list[Path]:
    """The files of further workers."""
    return sorted(_targets_folder(settings).glob(f"{STREAM}-*.json"))


def _listed(file: Path) -> dict[str, int]:
    """Program -> port in a file of targets; none where it was taken away meanwhile."""
    try:
        found = json.loads(file.read_text())
    except FileNotFoundError:
        return {}
    return {one["labels"]["program"]: int(one["targets"][0].rpartition(":")[2]) for one in found}


def own_pages(settings: Settings) -> dict[str, int]:
    """Program -> port of each of ours that shows metrics, whether Prometheus asks it or not."""
    pages = _api_ports(settings)
    if settings.worker_metrics_port:
        pages |= _worker_ports(settings)
    if settings.monitoring:
        pages[EXPORTER] = settings.exporter_port
        pages |= {name: port for file in _announced(settings) for name, port in _listed(file).items()}
    return pages


def targets(settings: Settings) -> dict[str, list[dict[str, object]]]:
    """Job -> whom Prometheus asks, as its file_sd wants it; the label `program` is the supervisor's name.

    What waits for a model is not asked: it is not down.
    """
    return {
        "api": [_target(name, port) for name, port in _api_ports(settings).items()],
        STREAM: [_target(name, port) for name, port in _worker_ports(settings).items()],
        EXPORTER: [_target(EXPORTER, settings.exporter_port)],
        PROMETHEUS: [_target(PROMETHEUS, settings.prometheus_port)],
        ALERTMANAGER: [_target(ALERTMANAGER, settings.alertmanager_port)],
    }


def _api_ports(settings: Settings) -> dict[str, int]:
    if not web.has_champion(settings):
        return {}
    if not api.is_replicated(settings):
        return {api.NAME: settings.api_port}
    return {f"{api.NAME}-{i}": port for i, port in enumerate(settings.api_replica_ports, 1)}


def _worker_ports(settings: Settings) -> dict[str, int]:
    there = [name for name in WORKERS if name != "scoring" or web.has_champion(settings)]
    return {name: metrics_port(settings, name, 0) for name in there}


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
