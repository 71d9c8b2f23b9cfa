"""Prometheus metrics `bdp_<area>_<thing>_<unit>`. Labels are bounded: never what a caller sent."""

from __future__ import annotations

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import REGISTRY

EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8"

API_REQUESTS = Counter(
    "bdp_api_requests_total", "Requests answered, by route template and HTTP status", ["route", "status"]
)
API_REQUEST_DURATION = Histogram(
    "bdp_api_request_duration_seconds",
    "From the request's head to the answer's last byte, by route template",
    ["route"],
    buckets=(
        0.0005,
        0.001,
        0.0015,
        0.002,
        0.003,
        0.005,
        0.0075,
        0.01,
        0.025,
        0.05,
        0.1,
        0.25,
        0.5,
        1,
        2.5,
        5,
    ),
)
API_DECISIONS = Counter("bdp_api_decisions_total", "Decisions made; a repeated answer is none", ["decision"])
API_DECIDED = Counter(
    "bdp_api_decided_minor_total", "Amounts decided on, in minor units of the base currency", ["decision"]
)
API_DEGRADED = Counter(
    "bdp_api_degraded_total", "Decisions made without history, because the online store was not usable"
)
API_DEPENDENCY_UP = Gauge(
    "bdp_api_dependency_up_info",
    "1 while an API process can use it, else 0: model, online_store, kafka, spool; /health says why",
    ["dependency"],
    multiprocess_mode="livemin",
)
API_SPOOL_BYTES = Gauge(
    "bdp_api_spool_bytes",
    "Size of the write-ahead spools on this machine's disk",
    multiprocess_mode="livesum",
)
API_SPOOL_WAITING = Gauge(
    "bdp_api_spool_waiting_messages",
    "Transactions and labels in the spools that Kafka has not taken yet",
    multiprocess_mode="livesum",
)
API_UNDELIVERED = Counter(
    "bdp_api_undelivered_messages_total",
    "Answered transactions and labels that Kafka refused for good",
)
API_LIMITED_ALONE = Counter(
    "bdp_api_limited_alone_total",
    "Calls whose limit this process judged by itself, because the online store was not usable",
)
API_KEYS_UNREADABLE = Gauge(
    "bdp_api_keys_unreadable_info",
    "1 while the file of API keys is missing or damaged: no change of a key arrives",
    multiprocess_mode="livemax",
)
MODEL_SWAPS = Counter(
    "bdp_model_swaps_total", "Times that this process took another model or policy while it ran"
)
MODEL_REFUSED = Gauge(
    "bdp_model_refused_info",
    "1 while the champion or its policy on this machine can not be used: what served before goes on",
    multiprocess_mode="livemax",
)

REVIEW_CAPACITY = Gauge(
    "bdp_review_capacity_transactions",
    "Reviews a day that the policy that serves was made for; NaN: it does not say",
    multiprocess_mode="livemax",
)


def exposition() -> bytes:
    """All metrics as Prometheus text: ours of every worker process, `process_*` of the one that answers.

    Worker processes of the API share files in a folder that BentoML announces to prometheus_client; any other
    process has only its own registry.
    """
    try:
        registry = CollectorRegistry()
        MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    except ValueError:  # no such folder: one process
        return generate_latest(REGISTRY)
    ProcessCollector(registry=registry)
    return generate_latest(registry)
