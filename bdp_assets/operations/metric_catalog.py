"""Every metric of ours, and every value that its labels may have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry
from prometheus_client.metrics import MetricWrapperBase
from starlette.routing import Route

from bdp_assets.contracts.erasure import CUSTOMER_ERASED
from bdp_assets.contracts.records import Decision, Severity
from bdp_assets.contracts.rules import SEMANTIC_RULES
from bdp_assets.features.catalog import CATALOG
from bdp_assets.monitoring.drift.counting import FRAUD, SCORE
from bdp_assets.monitoring.drift.judgement import KINDS
from bdp_assets.monitoring.performance.segments import ALL, SEGMENTS
from bdp_assets.monitoring.quality.findings import Check
from bdp_assets.observability import (
    drift_metrics,
    list_metrics,
    performance_metrics,
    platform_metrics,
    quality_metrics,
    stream_metrics,
    tombstone_metrics,
)
from bdp_assets.observability import (
    metrics as api_metrics,
)
from bdp_assets.operations.exporter import SYSTEMS
from bdp_assets.operations.performance.figures import CHALLENGER, CHAMPION, RIVAL
from bdp_assets.operations.quality.catalog import WATCHED
from bdp_assets.streaming import groups
from bdp_assets.streaming.analytics.catalog import WINDOWS
from bento.app import Api

UNITS = {
    "total": "count",
    "seconds": "seconds",
    "bytes": "bytes",
    "ratio": "ratio, 0 to 1",
    "messages": "messages",
    "info": "1 or 0",
    "transactions": "transactions",
    "frauds": "transactions",
    "comparisons": "comparisons",
    "minor": "minor units of the base currency",
}
"""Last word of a name, of a counter that before `total`, -> its unit; base units only, as Prometheus asks."""

REFUSED = (
    "bad_format",
    "conflict",
    CUSTOMER_ERASED,
    "duplicate",
    "missing_field",
    "not_a_purchase",
    "not_decodable",
    "not_json",
    "not_object",
    "not_utf8",
    "out_of_range",
    "pan_in_field",
    "step_crashed",
    "tombstone",
    "too_large",
    "unknown_field",
    "unknown_transaction",
    "wrong_type",
)
"""Error codes of dead letters beside those of the semantic rules."""

STATUSES = (200, 202, 307, 400, 401, 403, 404, 405, 408, 409, 413, 415, 422, 429, 431, 500, 503)
"""What the API answers with."""

LABELS: Mapping[str, tuple[str, ...]] = {
    "route": (*sorted({r.path for r in Api().routes if isinstance(r, Route)}), "other"),
    "status": tuple(map(str, STATUSES)),
    "decision": tuple(Decision),
    "dependency": ("model", "online_store", "kafka", "spool"),
    "error": tuple(sorted({*REFUSED, *(rule.code for rule in SEMANTIC_RULES)})),
    "severity": tuple(Severity),
    "reason": ("store_unavailable", "warehouse_unavailable", "transaction_aborted"),
    "event": ("assigned", "revoked", "lost"),
    "window": tuple(window.name for window in WINDOWS),
    "step": ("validate", "enrich", "score", "encode", "label", "read", "count", "commit"),
    "until": ("feature", "output"),
    "group": (groups.SCORING, groups.LABELS, groups.ANALYTICS),
    "system": tuple(SYSTEMS),
    "table": tuple(watched.table for watched in WATCHED),
    "check": tuple(Check),
    "quantity": (*CATALOG.names, SCORE, FRAUD),
    "kind": ("feature", *KINDS.values()),
    "role": (CHAMPION, CHALLENGER, RIVAL),
    "segment": (ALL, *(segment.name for segment in SEGMENTS)),
    "member": tuple(dict.fromkeys([ALL, *(name for segment in SEGMENTS for name in segment.members)])),
}
"""Label -> every value that it may have."""


@dataclass(frozen=True)
class Metric:
    """`place`: who shows it, for people. `name`: as a query has it."""

    place: str
    name: str
    type: str
    labels: tuple[str, ...]
    meaning: str

    @property
    def unit(self) -> str:
        of = self.name.removesuffix("_total").rpartition("_")[2]
        return UNITS.get(of) or UNITS[self.name.rpartition("_")[2]]


def metrics() -> list[Metric]:
    """All, by place, in the order of their definitions."""
    return [
        *_of("API: `/metrics` at its port", _declared(api_metrics)),
        *_of("API and scoring workers: lists", _declared(list_metrics)),
        *_of("API and stream workers: erased customers", _declared(tombstone_metrics)),
        *_of("Stream workers: ports from `BDP_STREAM_METRICS_PORT`", _declared(stream_metrics)),
        *_of("Exporter: `BDP_EXPORTER_PORT`", _declared(platform_metrics)),
        *_of("Quality: file `quality.prom`, by the exporter", quality_metrics.gauges(CollectorRegistry())),
        *_of("Drift: file `drift.prom`, by the exporter", drift_metrics.gauges(CollectorRegistry())),
        *_of(
            "Model performance: file `model_performance.prom`, by the exporter",
            performance_metrics.gauges(CollectorRegistry()).all,
        ),
    ]


def _declared(module: object) -> Iterator[MetricWrapperBase]:
    return (value for value in vars(module).values() if isinstance(value, MetricWrapperBase))


def _of(place: str, declared: Iterable[MetricWrapperBase]) -> Iterator[Metric]:
    for metric in declared:
        [family] = metric.describe()
        name = family.name + ("_total" if family.type == "counter" else "")
        yield Metric(place, name, family.type, metric._labelnames, family.documentation)
