"""Does the model still find fraud, and do its scores mean what they did?"""

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
)
from bdp_assets.operations.dashboards.promql import per_second

_ALL = 'segment="all"'
_CHAMPION = f'{{role="champion",{_ALL}}}'
_DAYS = "BETWEEN $__timeFrom()::date AND $__timeTo()::date"

_STATS = (
    stat(
        "Average precision",
        f"bdp_performance_average_precision_ratio{_CHAMPION}",
        Unit.NUMBER,
        "How well the champion ranks, on transactions whose labels are due. 1 is perfect.",
        runbook="ModelDecayed",
    ),
    stat(
        "Recall",
        f"bdp_performance_recall_ratio{_CHAMPION}",
        Unit.SHARE,
        "Of the frauds, those that were reviewed or declined.",
        runbook="ModelDecayed",
    ),
    stat(
        "Precision",
        f"bdp_performance_precision_ratio{_CHAMPION}",
        Unit.SHARE,
        "Of what was reviewed or declined, frauds.",
        runbook="ModelDecayed",
    ),
    stat(
        "Decayed",
        "bdp_performance_decayed_info",
        Unit.YES_NO,
        "Whether the model that serves ranks worse than its test promised. NaN: too few labels to judge.",
        limits=above(1),
        runbook="ModelDecayed",
    ),
    stat(
        "Drifted comparisons",
        "sum(bdp_drift_found_comparisons)",
        Unit.NUMBER,
        "Features, scores and labels in segments, on the latest judged day.",
        limits=above(1),
        runbook="DriftFound",
    ),
    stat(
        "Judged days ago",
        "(time() - bdp_performance_as_of_seconds) / 86400",
        Unit.NUMBER,
        "Days since the midnight of these figures; they are made nightly.",
        limits=above(2, 3),
    ),
)

_OVER_TIME = (
    lines(
        "Decisions, shares",
        {
            "{{decision}}": f"{per_second('bdp_api_decisions_total', 'decision')}"
            f" / ignoring (decision) group_left () ({per_second('bdp_api_decisions_total')} > 0)"
        },
        Unit.SHARE,
        "Of the API's decisions. A step without a new model or policy is news about the traffic.",
        runbook="DecisionMixShifted",
    ),
    lines(
        "Declined, 1 h",
        {"declined": "decisions:declined:ratio_1h"},
        Unit.SHARE,
        "Of the API's decisions of the last hour. An alert compares it with the same time yesterday.",
        runbook="DecisionMixShifted",
    ),
    states(
        "Champion usable",
        "1 - max by (program) (bdp_model_refused_info)",
        "{{program}}",
        "Red: the champion or its policy can not be used, and what served before goes on.",
        runbook="ModelRefused",
    ),
    lines(
        "Changes of model or policy",
        {"{{program}}": "sum by (program) (increase(bdp_model_swaps_total[1h]))"},
        Unit.NUMBER,
        "Times in the last hour that a process took another one while it ran.",
    ),
    lines(
        "Average precision by role",
        {"{{role}}": f"bdp_performance_average_precision_ratio{{{_ALL}}}"},
        Unit.NUMBER,
        "The challenger is asked in the shadow. Above the champion for weeks: `bdp models promote`.",
    ),
    lines(
        "Calibration",
        {
            "Brier score, {{role}}": f"bdp_performance_brier_ratio{{{_ALL}}}",
            "error, {{role}}": f"bdp_performance_calibration_error_ratio{{{_ALL}}}",
        },
        Unit.NUMBER,
        "Whether a score of 0.2 is fraud in one of five cases. Smaller is better.",
        runbook="ModelDecayed",
    ),
    lines(
        "Average precision by segment",
        {"{{segment}}: {{member}}": 'bdp_performance_average_precision_ratio{role="champion"}'},
        Unit.NUMBER,
        "Where the champion is weak. Small segments jump.",
    ),
    lines(
        "Money of matured transactions",
        {
            "saved": f"bdp_performance_saved_minor{_CHAMPION} / 100",
            "lost": f"bdp_performance_lost_minor{_CHAMPION} / 100",
            "spent": f"bdp_performance_spent_minor{_CHAMPION} / 100",
        },
        Unit.MONEY,
        "Frauds stopped, frauds approved, and the cost of reviews and of false declines.",
    ),
    lines(
        "Scores by day",
        {
            "": "SELECT date_trunc('day', occurred_at) AS time,"
            " percentile_cont(0.5) WITHIN GROUP (ORDER BY fraud_probability) AS p50,"
            " percentile_cont(0.95) WITHIN GROUP (ORDER BY fraud_probability) AS p95,"
            " percentile_cont(0.99) WITHIN GROUP (ORDER BY fraud_probability) AS p99"
            " FROM warehouse.decisions WHERE occurred_at BETWEEN $__timeFrom() AND $__timeTo()"
            " GROUP BY 1 ORDER BY 1"
        },
        Unit.NUMBER,
        "Distribution of the fraud probability of what was decided.",
        source=Source.WAREHOUSE,
        runbook="DriftFound",
    ),
    lines(
        "Shift of scores and labels by day",
        {
            "": "SELECT event_date::timestamptz AS time, quantity AS metric, psi FROM warehouse.drift"
            f" WHERE kind <> 'feature' AND segment = 'all' AND event_date {_DAYS} ORDER BY time"
        },
        Unit.NUMBER,
        "Population stability index against the days that the model was made of.",
        limits=above(0.1, 0.25),
        source=Source.WAREHOUSE,
        runbook="DriftFound",
    ),
    lines(
        "Average precision by night, with its interval",
        {
            "": "SELECT as_of::timestamptz AS time, average_precision AS value,"
            " average_precision_low AS low, average_precision_high AS high FROM warehouse.model_performance"
            f" WHERE role = 'champion' AND segment = 'all' AND as_of {_DAYS} ORDER BY time"
        },
        Unit.NUMBER,
        "Of the champion. Two nights whose intervals do not meet differ.",
        source=Source.WAREHOUSE,
    ),
    lines(
        "Against what its test promised",
        {
            "": "SELECT as_of::timestamptz AS time, matured, bound, registered FROM warehouse.model_decay"
            f" WHERE as_of {_DAYS} ORDER BY time"
        },
        Unit.NUMBER,
        "Average precision, matured, beside the registered one. Surely below the bound: decayed.",
        source=Source.WAREHOUSE,
        runbook="ModelDecayed",
    ),
)

_LOGS = logs(
    "Logs about models, policies and lists",
    '{program=~"api.*|scoring.*"} | json | logger=~"bdp.champion|bdp.lists"'
    ' | line_format "{{.level}} {{.service}}: {{.message}} {{.model}} {{.version}}"',
    "`serving`: which version a process took.",
)

MODEL = Dashboard(
    "model",
    "BDP 5: Model and drift",
    "Does the model still find fraud, and do its scores mean what they did?",
    (*_STATS, *_OVER_TIME, _LOGS),
    range="30d",
)
