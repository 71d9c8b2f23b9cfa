"""Does the API answer, in time, and with history?"""

from __future__ import annotations

from bdp_assets.operations.dashboards.panels import Dashboard, Unit, above, below, lines, logs, stat, states
from bdp_assets.operations.dashboards.promql import per_second, quantile


def _predict(share: float) -> str:
    return quantile(share, "bdp_api_request_duration_seconds", where='route="/api/v1/predict"')


_STATS = (
    stat(
        "Calls",
        per_second("bdp_api_requests_total", where='route=~"/api/v1/.*"'),
        Unit.CALLS,
        "Answered calls of /api/v1, whatever the answer.",
    ),
    stat(
        "Availability, 1 h",
        '1 - slo:errors:ratio_1h{slo="api_availability"}',
        Unit.SHARE,
        "Share of the answers that are no 5xx. The objective is 99.9% over 30 days. NaN: no calls.",
        limits=below(0.9995, 0.999),
        runbook="ErrorBudgetBurnsFast",
    ),
    stat(
        "Prediction, p99",
        _predict(0.99),
        Unit.SECONDS,
        "99 of 100 predictions are answered within it. The objective is 50 ms.",
        limits=above(0.025, 0.05),
        runbook="ErrorBudgetBurnsFast",
    ),
    stat(
        "Without history",
        per_second("bdp_api_degraded_total"),
        Unit.PER_SECOND,
        "Decisions made while the online store was not usable: the model saw no past of the customer.",
        limits=above(0.001, 1),
        runbook="OnlineStoreDegraded",
    ),
    stat(
        "Waiting in spools",
        "sum(bdp_api_spool_waiting_messages)",
        Unit.NUMBER,
        "Answered, safe on this disk, and not in Kafka yet. Grows while Kafka is away.",
        limits=above(1_000, 100_000),
        runbook="SpoolGrows",
    ),
    stat(
        "Undelivered, 24 h",
        "sum(increase(bdp_api_undelivered_messages_total[1d]))",
        Unit.NUMBER,
        "Answered messages that Kafka refused for good. One is one too many.",
        limits=above(1),
        runbook="MessagesUndelivered",
    ),
)

_OVER_TIME = (
    lines(
        "Calls by route",
        {"{{route}}": per_second("bdp_api_requests_total", "route")},
        Unit.CALLS,
        "Templates of routes; `other` is what there is no route for.",
    ),
    lines(
        "Calls by answer",
        {"{{status}}": per_second("bdp_api_requests_total", "status")},
        Unit.CALLS,
        "HTTP status. 4xx is the caller's, 429 a limit, 503 a part that is away.",
        runbook="ErrorBudgetBurnsFast",
    ),
    lines(
        "Time of a prediction",
        {"p50": _predict(0.5), "p95": _predict(0.95), "p99": _predict(0.99)},
        Unit.SECONDS,
        "From the request's head to the answer's last byte, of all processes together.",
        limits=above(0.025, 0.05),
    ),
    states(
        "What it leans on",
        "min by (dependency) (bdp_api_dependency_up_info)",
        "{{dependency}}",
        "Red: at least one process can not use it. /health says why; docs/api.md what callers see meanwhile.",
        runbook="OnlineStoreDegraded",
    ),
    lines(
        "Spools on disk",
        {"{{program}}": "sum by (program) (bdp_api_spool_bytes)"},
        Unit.BYTES,
        "Size of the write-ahead files of each replica. At BDP_SPOOL_MB the API refuses calls.",
        runbook="SpoolGrows",
    ),
    states(
        "What it read last is good",
        'label_replace(1 - max(bdp_model_refused_info{job="api"}), "what", "model", "", "")'
        ' or label_replace(1 - max(bdp_lists_unreadable_info{job="api"}), "what", "lists", "", "")'
        ' or label_replace(1 - max(bdp_tombstones_unreadable_info{job="api"}), "what", "erased", "", "")'
        ' or label_replace(1 - max(bdp_api_keys_unreadable_info), "what", "API keys", "", "")',
        "{{what}}",
        "Red: a change does not arrive, and what was read before goes on.",
        runbook="ModelRefused",
    ),
    lines(
        "Limits judged alone",
        {"{{program}}": per_second("bdp_api_limited_alone_total", "program")},
        Unit.CALLS,
        "Calls whose rate limit a process judged by itself: replicas together allow more meanwhile.",
        runbook="OnlineStoreDegraded",
    ),
    lines(
        "Processor",
        {"{{program}}": 'rate(process_cpu_seconds_total{job="api"}[$__rate_interval])'},
        Unit.NUMBER,
        "Busy cores, of the process that answered. At 1 it has no room: add replicas.",
        limits=above(0.7, 0.9),
    ),
)

_LOGS = logs(
    "Logs of the API",
    '{program=~"api.*"} | json | level!="" | line_format "{{.level}} {{.logger}}: {{.message}} {{.reason}}"',
    "No line for each call: the metrics above are for that. A line about one call has its trace_id.",
)

API = Dashboard(
    "api",
    "BDP 2: API",
    "Does the API answer, in time, and with history?",
    (*_STATS, *_OVER_TIME, _LOGS),
)
