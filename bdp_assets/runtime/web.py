"""Command lines of the Python programs: MLflow, Dagster and the stream workers."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from bdp_assets.pan_key import PanKeyMissing, require_choice
from bdp_assets.project import FILES, PROJECT
from bdp_assets.runtime import health, one_daemon
from bdp_assets.runtime.parts import Say
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

DEFINITIONS = "bdp_assets.definitions"
_HEARTBEAT_S = 90
"""Dagster's daemons write their heartbeat every 30 s; late when a sensor takes its time."""


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def mlflow(settings: Settings) -> list[str]:
    """The application that `mlflow server` runs, without that command's own process (280 MB more)."""
    address = ("--host", settings.listen, "--port", str(settings.mlflow_port))
    return _module("uvicorn", "mlflow.server.fastapi_app:app", *address, "--no-access-log")


def mlflow_environment(settings: Settings) -> Mapping[str, str]:
    """What `mlflow server` sets for that application (names: mlflow/server/constants.py)."""
    return {
        "_MLFLOW_SERVER_FILE_STORE": settings.postgres("mlflow"),
        "_MLFLOW_SERVER_ARTIFACT_ROOT": "mlflow-artifacts:/",
        "_MLFLOW_SERVER_SERVE_ARTIFACTS": "true",
        "_MLFLOW_SERVER_ARTIFACT_DESTINATION": str(settings.home / "mlartifacts"),
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_DISABLE_TELEMETRY": "true",
    }


def mlflow_healthy(settings: Settings) -> bool:
    """Answers from its database; the first such request makes the tables, so one must do, however slow."""
    return health.http_ok(settings.mlflow_port, "/api/2.0/mlflow/experiments/search?max_results=1", 60)


def require_pan_key(settings: Settings, _say: Say) -> None:
    """Workers and runs would stop without it, one after the other: better told once, before they start."""
    try:
        require_choice(settings)
    except PanKeyMissing as missing:
        raise Problem(missing.what, missing.do) from missing


def dagster_prepare(settings: Settings, say: Say) -> None:
    """DAGSTER_HOME with a link to our dagster.yaml, and a workspace that names the code server."""
    require_pan_key(settings, say)
    home = settings.home / "dagster"
    home.mkdir(exist_ok=True)
    _link(home / "dagster.yaml", FILES / "dagster.yaml")
    server = {
        "host": settings.dagster_code_host,
        "port": settings.dagster_code_port,
        "location_name": DEFINITIONS,
    }
    _workspace(settings).write_text(json.dumps({"load_from": [{"grpc_server": server}]}))  # JSON is YAML


def _link(place: Path, target: Path) -> None:
    """Whole at any moment: containers that share a home start side by side."""
    draft = place.with_name(f"{place.name}.{os.getpid()}")
    draft.unlink(missing_ok=True)
    draft.symlink_to(target)
    draft.replace(place)


def _workspace(settings: Settings) -> Path:
    return settings.home / "dagster" / "workspace.yaml"


def dagster_code(settings: Settings) -> list[str]:
    """The code location, loaded once for the webserver and the daemon.

    With the root's workspace.yaml each would load it for itself, the daemon anew every minute (6 s of CPU).
    """
    address = ("-h", settings.listen, "-p", str(settings.dagster_code_port))
    code = ("-m", DEFINITIONS, "--location-name", DEFINITIONS, "-d", str(PROJECT))
    return _module("dagster", "code-server", "start", *address, *code)


def dagster_code_healthy(settings: Settings) -> bool:
    return health.grpc_ok(settings.dagster_code_port, "DagsterApi")


def dagster_environment(settings: Settings) -> Mapping[str, str]:
    """For every process of Dagster, those that it starts itself included: dagster.yaml says the rest."""
    return {"DAGSTER_HOME": str(settings.home / "dagster")}


def dagster_webserver(settings: Settings) -> list[str]:
    address = ("-h", settings.listen, "-p", str(settings.dagster_port))
    return _module("dagster_webserver", "-w", str(_workspace(settings)), *address)


def dagster_webserver_healthy(settings: Settings) -> bool:
    return health.http_ok(settings.dagster_port, "/server_info")


def dagster_daemon(settings: Settings) -> list[str]:
    """It rests while a `dagster dev` of this checkout runs."""
    daemon = _module("dagster._daemon", "run", "-w", str(_workspace(settings)))
    return _module(one_daemon.__name__, str(settings.home), *daemon)


def dagster_daemon_healthy(settings: Settings) -> bool:
    """Whether every daemon that the instance needs has shown a sign of life lately."""
    return dagster_heartbeat_s(settings) > time.time() - _HEARTBEAT_S


def dagster_heartbeat_s(settings: Settings) -> float:
    """When the last one of the daemons that the instance needs was alive (Unix time); the webserver knows.

    0 where one never was, or the webserver does not answer.
    """
    query = "{instance{daemonHealth{allDaemonStatuses{required lastHeartbeatTime}}}}"
    answer = health.json_answer(settings.dagster_port, f"/graphql?query={quote(query)}")
    if answer is None:
        return 0.0
    daemons = answer["data"]["instance"]["daemonHealth"]["allDaemonStatuses"]
    return min(daemon["lastHeartbeatTime"] or 0.0 for daemon in daemons if daemon["required"])


def scoring(_settings: Settings) -> list[str]:
    return _module("bdp_assets.cli.main", "stream", "scoring")


def labels(_settings: Settings) -> list[str]:
    return _module("bdp_assets.cli.main", "stream", "labels")


def analytics(_settings: Settings) -> list[str]:
    return _module("bdp_assets.cli.main", "stream", "analytics")


def scoring_healthy(settings: Settings) -> bool:
    from bdp_assets.streaming.groups import SCORING

    return _reads(settings, SCORING)


def labels_healthy(settings: Settings) -> bool:
    from bdp_assets.streaming.groups import LABELS

    return _reads(settings, LABELS)


def analytics_healthy(settings: Settings) -> bool:
    from bdp_assets.streaming.groups import ANALYTICS

    return _reads(settings, ANALYTICS)


def _reads(settings: Settings, group: str) -> bool:
    """A worker serves nothing that could be asked; the broker knows whether it reads."""
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable
    from bdp_assets.clients.kafka.members import partitions_read

    try:
        return partitions_read(settings, group) > 0
    except (KafkaUnavailable, KafkaRefused):
        return False


def has_champion(settings: Settings) -> bool:
    """Whether a model bundle is on this machine to serve."""
    return (settings.models_dir / "champion" / "manifest.json").exists()
