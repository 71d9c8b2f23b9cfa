"""Are features there in time, complete, and as they were when the model learned?"""

from __future__ import annotations

from bdp_assets.operations.dashboards.panels import (
    Dashboard,
    Source,
    Unit,
    above,
    lines,
    logs,
    stat,
    states,
    table,
)
from bdp_assets.operations.dashboards.promql import per_second, quantile

_OF_FEATURES = 'bdp_drift_psi_ratio{quantity!~"score|fraud"}'
_JUDGED = (
    "kind = 'feature' AND segment = 'all' AND event_date BETWEEN $__timeFrom()::date AND $__timeTo()::date"
)


def _readable(share: float) -> str:
    return quantile(share, "bdp_stream_freshness_seconds", where='until="feature"')


def _enrich(share: float) -> str:
    return quantile(share, "bdp_stream_step_duration_seconds", where='step="enrich"')


_STATS = (
    stat(
        "Readable after, p99",
        _readable(0.99),
        Unit.SECONDS,
        "From Kafka's timestamp of a batch's oldest message until its features are in the online store.",
        limits=above(0.5, 1),
        runbook="ErrorBudgetBurnsFast",
    ),
    stat(
        "Enrichment, p95",
        _enrich(0.95),
        Unit.SECONDS,
        "Online store's time for one micro-batch: claim, count, and read all features.",
        limits=above(0.2, 1),
    ),
    stat(
        "Without history",
        f"{per_second('bdp_api_degraded_total')} / ({per_second('bdp_api_decisions_total')} > 0)"
        " or vector(0)",
        Unit.SHARE,
        "Share of the API's decisions whose features knew no past, because the online store was not usable.",
        limits=above(0.001, 0.01),
        runbook="OnlineStoreDegraded",
    ),
    stat(
        "Store's memory",
        "bdp_store_memory_bytes",
        Unit.BYTES,
        "What the online store holds; its limit is in the picture below.",
        runbook="StoreMemoryFull",
    ),
    stat(
        "Features that drifted",
        'bdp_drift_found_comparisons{kind="feature"}',
        Unit.NUMBER,
        "Of the latest judged day, in all segments. docs/drift.md says what counts.",
        limits=above(1),
        runbook="DriftFound",
    ),
    stat(
        "Largest shift",
        f"max({_OF_FEATURES})",
        Unit.NUMBER,
        "Population stability index of the feature that moved most. By custom: from 0.1 look, from 0.25 act.",
        limits=above(0.1, 0.25),
        runbook="DriftFound",
    ),
)

_OVER_TIME = (
    lines(
        "Features can be read after",
        {f"p{share}": _readable(share / 100) for share in (50, 95, 99)},
        Unit.SECONDS,
        "Oldest message of each micro-batch.",
        limits=above(0.5, 1),
    ),
    lines(
        "Time of the online store",
        {f"p{share}": _enrich(share / 100) for share in (50, 95, 99)},
        Unit.SECONDS,
        "One micro-batch. Rises with its size, with the store's memory near the limit, and with the network.",
    ),
    lines(
        "Online store: memory",
        {"used": "bdp_store_memory_bytes", "limit (0: none)": "bdp_store_memory_limit_bytes"},
        Unit.BYTES,
        "Grows with customers and merchants that are active, not with traffic.",
        runbook="StoreMemoryFull",
    ),
    states(
        "Online store usable",
        'bdp_platform_system_up_info{system="online_store"}'
        ' or min by (dependency) (bdp_api_dependency_up_info{dependency="online_store"})',
        "{{job}}{{dependency}}",
        "As exporter and API have it. Red for the API alone: it is there, and empty (docs/online-store.md).",
        runbook="OnlineStoreDegraded",
    ),
    lines(
        "Shift of features",
        {"{{quantity}}": f"topk(10, {_OF_FEATURES})"},
        Unit.NUMBER,
        "Population stability index of the ten that moved most, on the latest judged day.",
        limits=above(0.1, 0.25),
        runbook="DriftFound",
    ),
    lines(
        "Shift by day",
        {
            "": "SELECT event_date::timestamptz AS time, max(psi) AS largest,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY psi) AS median"
            f" FROM warehouse.drift WHERE {_JUDGED} GROUP BY event_date ORDER BY time"
        },
        Unit.NUMBER,
        "Population stability index over all features of each judged day.",
        limits=above(0.1, 0.25),
        source=Source.WAREHOUSE,
    ),
    table(
        "Features of the latest judged day",
        "SELECT * FROM (SELECT DISTINCT ON (quantity) quantity AS feature, event_date AS day, psi, ks,"
        f" missing, drifted FROM warehouse.drift WHERE {_JUDGED} ORDER BY quantity, event_date DESC) AS l"
        " ORDER BY psi DESC",
        "Against the days that the model was made of, all transactions. `missing`: share of no value.",
        width=24,
        missing=Unit.SHARE,
    ),
)

_LOGS = logs(
    "Logs of who counts",
    '{program=~"scoring.*|labels.*"} | json | level!=""'
    ' | line_format "{{.level}} {{.service}}: {{.message}} {{.messages}}"',
    "`caught up`: a worker has taken over what the store's rebuild left to do.",
)

FEATURES = Dashboard(
    "features",
    "BDP 4: Features",
    "Are features there in time, complete, and as they were when the model learned?",
    (*_STATS, *_OVER_TIME, _LOGS),
    range="24h",
)
