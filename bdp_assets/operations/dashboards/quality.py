"""Is the data in the lake complete, in time and sound?"""

from __future__ import annotations

from bdp_assets.monitoring.quality.findings import OF_HOURS
from bdp_assets.operations.dashboards.panels import (
    Dashboard,
    Source,
    Unit,
    above,
    below,
    lines,
    stat,
    table,
)

_DAYS = "day BETWEEN $__timeFrom()::date AND $__timeTo()::date"
_OF_HOURS = "|".join(sorted(OF_HOURS))
_REFUSED = "received_at BETWEEN $__timeFrom() AND $__timeTo()"

_STATS = (
    stat(
        "Worst table",
        "min(bdp_quality_score_ratio)",
        Unit.SHARE,
        "Score of the table that is worst off, on its latest day. docs/quality.md says how it is made.",
        limits=below(0.99, 0.95),
        runbook="QualityScoreLow",
    ),
    stat(
        "Checks of rows that fail",
        f'sum(bdp_quality_check_failed_info{{check!~"{_OF_HOURS}"}})',
        Unit.NUMBER,
        "Schema, nulls, ranges, uniqueness and references: one failure is a defect.",
        limits=above(1),
        runbook="QualityCheckFailed",
    ),
    stat(
        "Checks of hours that fail",
        f'sum(bdp_quality_check_failed_info{{check=~"{_OF_HOURS}"}})',
        Unit.NUMBER,
        "Volume, freshness, duplicates and late ones, against the same hour of weeks before: look, no more.",
        limits=above(1, 4),
    ),
    stat(
        "Judged",
        "time() - bdp_quality_judged_seconds",
        Unit.SECONDS,
        "Since the last report, which is made every hour.",
        limits=above(5_400, 7_200),
        runbook="QualityNotJudged",
    ),
    stat(
        "Refused rows",
        f"SELECT count(*) FROM warehouse.quarantined WHERE {_REFUSED}",
        Unit.NUMBER,
        "Rows of both doors that did not keep the contract, in this range. `bdp quarantine list`.",
        source=Source.WAREHOUSE,
        runbook="DeadLetterRate",
    ),
    stat(
        "Oldest not in the lake",
        "bdp_lake_oldest_waiting_seconds",
        Unit.SECONDS,
        "How long the oldest message has waited for the lake.",
        limits=above(300, 1800),
        runbook="LakeStale",
    ),
)

_OVER_TIME = (
    lines(
        "Score by table",
        {"{{table}}": "bdp_quality_score_ratio"},
        Unit.SHARE,
        "Sound share of the check that is worst off, of each table's latest day.",
        limits=below(0.99, 0.95),
        runbook="QualityScoreLow",
    ),
    lines(
        "Failed checks by kind",
        {"{{check}}": "sum by (check) (bdp_quality_check_failed_info)"},
        Unit.NUMBER,
        "Number of tables on which each kind fails.",
        runbook="QualityCheckFailed",
    ),
    lines(
        "Score by day",
        {
            "": "SELECT day::timestamptz AS time, table_name AS metric, score / 100 AS score"
            f" FROM warehouse.quality_scores WHERE score IS NOT NULL AND {_DAYS} ORDER BY time"
        },
        Unit.SHARE,
        "Of each table, as the warehouse keeps it.",
        limits=below(0.99, 0.95),
        source=Source.WAREHOUSE,
    ),
    lines(
        "Refused rows by day",
        {
            "": "SELECT date_trunc('day', received_at) AS time, error AS metric, count(*) AS rows"
            f" FROM warehouse.quarantined WHERE {_REFUSED} GROUP BY 1, 2 ORDER BY 1"
        },
        Unit.NUMBER,
        "By error code, of both doors.",
        source=Source.WAREHOUSE,
        runbook="DeadLetterRate",
    ),
    table(
        "Checks, the worst first",
        "SELECT * FROM (SELECT DISTINCT ON (table_name, check_name) passed, table_name AS table,"
        " check_name AS check, day, checked, failed, unit, detail, judged_at"
        f" FROM warehouse.quality_checks WHERE {_DAYS} ORDER BY table_name, check_name, day DESC) AS latest"
        " ORDER BY passed, failed DESC",
        "The latest day of each check that is in range; `passed` is empty where there was nothing to judge.",
        width=24,
    ),
)

QUALITY = Dashboard(
    "quality",
    "BDP 6: Data quality",
    "Is the data in the lake complete, in time and sound?",
    (*_STATS, *_OVER_TIME),
    range="14d",
)
