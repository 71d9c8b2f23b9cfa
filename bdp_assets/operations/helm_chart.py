"""What the Helm chart takes from the code: `deploy/helm/bdp-platform/files/platform.yaml` is made from it.

Topics, the workers' groups and ports, and the names of settings are defined elsewhere, once; the chart reads
the file, and a test holds it to what is here (`BDP_RECORD=1` writes it anew).
"""

from __future__ import annotations

from typing import Any

import yaml
from pydantic import SecretStr

from bdp_assets.operations.topics import specs
from bdp_assets.project import PROJECT
from bdp_assets.settings import Settings, variables
from bdp_assets.streaming import groups
from bdp_assets.streaming.worker import ANALYTICS, LABELS, SCORING

CHART = PROJECT / "deploy" / "helm" / "bdp-platform"
CONTRACT = CHART / "files" / "platform.yaml"

_WITH_PASSWORD = ("postgres_url", "redis_url")
_BY_THE_CHART = (
    *("home", "api_port", "api_replicas", "api_auth", "api_keys_file", "mlflow_uri"),
    *("kafka_bootstrap", "kafka_username", "kafka_password", "kafka_ca_file"),
    *("stream_metrics_port", "stream_metrics_by_slot", "model_name"),
)
"""Settings that the chart makes of values of its own: said twice, they could disagree."""


def contract() -> str:
    """The file's text."""
    head = "# Made from the code (bdp_assets/operations/helm_chart.py); docs/deploy-helm.md says how.\n"
    said = {"settings": _settings(), "topics": _topics(), "workers": _workers()}
    return head + yaml.safe_dump(said, sort_keys=False)


def _settings() -> dict[str, list[str]]:
    """Names of variables: those that `config` may hold, those only a Secret may, those the chart sets."""
    kinds: dict[str, list[str]] = {"config": [], "secret": [], "chart": []}
    for variable in variables():
        kinds[_kind(variable.field)].append(variable.name)
    return kinds


def _kind(field: str) -> str:
    if field in _BY_THE_CHART:
        return "chart"
    secret = SecretStr in getattr(Settings.model_fields[field].annotation, "__args__", ())
    return "secret" if secret or field in _WITH_PASSWORD else "config"


def _topics() -> list[dict[str, Any]]:
    return [
        {"name": spec.name, "partitions": spec.partitions, "config": dict(spec.config)} for spec in specs()
    ]


def _workers() -> dict[str, dict[str, Any]]:
    """By kind: consumer group, topics, offset of its metrics port, and the most that have work to do."""
    return {
        kind.name: {
            "group": kind.group,
            "topics": [topic.name for topic in kind.topics],
            "metricsPortOffset": groups.METRICS_PORTS[kind.name],
            "most": max(topic.partitions for topic in kind.topics),
        }
        for kind in (SCORING, LABELS, ANALYTICS)
    }
