"""What was bought, what was stopped, and who waits for a person?"""

from __future__ import annotations

from bdp_assets.operations.dashboards.panels import Dashboard, Source, Unit, above, lines, logs, stat, table
from bdp_assets.operations.dashboards.promql import or_zero, per_second

_DAYS = "event_date BETWEEN $__timeFrom()::date AND $__timeTo()::date"
_TIMES = "d.occurred_at BETWEEN $__timeFrom() AND $__timeTo()"
_STOPPED = (
    "SELECT coalesce(sum(d.amount_base_minor), 0) / 100.0 FROM warehouse.decisions d"
    " JOIN warehouse.label_states l USING (customer_id, transaction_id)"
    f" WHERE l.is_fraud AND d.decision {{}} AND {_TIMES}"
)


def _figures(what: str) -> str:
    return f"SELECT {what} FROM warehouse.daily_figures WHERE {_DAYS}"


def _by_day(what: str) -> dict[str, str]:
    start = f"SELECT event_date::timestamptz AS time, {what} FROM warehouse.daily_figures"
    return {"": f"{start} WHERE {_DAYS} GROUP BY event_date ORDER BY time"}


_STATS = (
    stat(
        "Transactions",
        _figures("sum(transactions)"),
        Unit.NUMBER,
        "In this range, by days (UTC) that landed in the warehouse.",
        source=Source.WAREHOUSE,
    ),
    stat(
        "Bought and not declined",
        _figures("sum(amount_base_minor - declined_base_minor) / 100.0"),
        Unit.MONEY,
        "Amounts approved, under review, or not decided here; base currency.",
        source=Source.WAREHOUSE,
    ),
    stat(
        "Declined",
        _figures("sum(declined_base_minor) / 100.0"),
        Unit.MONEY,
        "Amounts declined, frauds and good ones; base currency.",
        source=Source.WAREHOUSE,
    ),
    stat(
        "Fraud stopped",
        _STOPPED.format("<> 'approve'"),
        Unit.MONEY,
        "Known frauds that were declined or reviewed. Labels come weeks late: the last weeks will grow.",
        source=Source.WAREHOUSE,
    ),
    stat(
        "Fraud let through",
        _STOPPED.format("= 'approve'"),
        Unit.MONEY,
        "Known frauds that were approved. Labels come weeks late.",
        source=Source.WAREHOUSE,
        runbook="ModelDecayed",
    ),
    stat(
        "Waiting for review",
        "SELECT count(*) FROM warehouse.decisions d LEFT JOIN warehouse.label_states l"
        " USING (customer_id, transaction_id)"
        f" WHERE d.decision = 'review' AND l.transaction_id IS NULL AND {_TIMES}",
        Unit.NUMBER,
        "Decisions `review` of this range that nobody has labelled.",
        limits=above(1_000, 10_000),
        source=Source.WAREHOUSE,
    ),
)

_OVER_TIME = (
    lines(
        "Decisions by day",
        _by_day(
            "sum(approved) AS approved, sum(reviewed) AS reviewed, sum(declined) AS declined,"
            " sum(undecided) AS undecided"
        ),
        Unit.NUMBER,
        "Transactions. `undecided`: history from before the platform.",
        source=Source.WAREHOUSE,
        runbook="DecisionMixShifted",
    ),
    lines(
        "Money by day",
        _by_day(
            "sum(amount_base_minor) / 100.0 AS all, sum(declined_base_minor) / 100.0 AS declined,"
            " sum(fraud_base_minor) / 100.0 AS fraud"
        ),
        Unit.MONEY,
        "Base currency. `fraud`: known by now, whatever was decided.",
        source=Source.WAREHOUSE,
    ),
    lines(
        "Fraud by day",
        _by_day("sum(frauds)::float8 / nullif(sum(transactions), 0) AS fraud"),
        Unit.SHARE,
        "Share of the transactions that are known as fraud. Falls towards today: labels are not there yet.",
        source=Source.WAREHOUSE,
    ),
    lines(
        "Transactions by hour",
        {
            "": "SELECT hour AS time, sum(transactions) AS transactions, sum(declined) AS declined"
            " FROM warehouse.hourly_figures WHERE hour BETWEEN $__timeFrom() AND $__timeTo()"
            " GROUP BY hour ORDER BY hour"
        },
        Unit.NUMBER,
        "As landed. Gaps are outages of whoever sends, or of landing.",
        source=Source.WAREHOUSE,
        runbook="LakeStale",
    ),
    lines(
        "Live: amounts by hour",
        {
            "": "SELECT starts_at AS time, sum(volume_base_minor) / 100.0 AS amount"
            " FROM warehouse.window_figures WHERE window_name = 'tumbling_1h'"
            " AND dimension = 'merchant_category' AND starts_at BETWEEN $__timeFrom() AND $__timeTo()"
            " GROUP BY starts_at ORDER BY starts_at"
        },
        Unit.MONEY,
        "By the stream, seconds old; the picture beside it comes with landing.",
        source=Source.WAREHOUSE,
    ),
    lines(
        "Live: decisions",
        {"{{decision}}": per_second("bdp_api_decisions_total", "decision")},
        Unit.PER_SECOND,
        "Of the API, as they are made.",
        runbook="DecisionMixShifted",
    ),
    lines(
        "Live: money by decision",
        {"{{decision}}": f"{per_second('bdp_api_decided_minor_total', 'decision')} / 100"},
        Unit.MONEY,
        "Of the API, a second; base currency.",
        runbook="MoneyDeclinedUnusual",
    ),
    lines(
        "Live: reviews of a day, and capacity",
        {
            "sent to review": or_zero('sum(increase(bdp_api_decisions_total{decision="review"}[1d]))'),
            "capacity": "max(bdp_review_capacity_transactions)",
        },
        Unit.NUMBER,
        "Of the API, in the 24 hours before; `capacity`: what the policy that serves was made for.",
        runbook="ReviewsOverCapacity",
    ),
    lines(
        "Live: alerts",
        {"{{severity}}": or_zero(per_second("bdp_stream_alerts_total", "severity"))},
        Unit.PER_SECOND,
        "Alerts about customers that call people, by severity (docs/alerts.md). Without a name: none.",
    ),
    lines(
        "Alerts by day",
        {
            "": "SELECT date_trunc('day', d.occurred_at) AS time, severity AS metric, count(*) AS alerts"
            f" FROM warehouse.alerts d WHERE {_TIMES} GROUP BY 1, 2 ORDER BY 1"
        },
        Unit.NUMBER,
        "By severity, at the time of their first transaction.",
        source=Source.WAREHOUSE,
    ),
    table(
        "Merchant categories",
        _figures(
            "merchant_category AS category, sum(transactions) AS transactions,"
            " sum(amount_base_minor) / 100.0 AS amount, sum(declined) AS declined,"
            " sum(frauds)::float8 / nullif(sum(transactions), 0) AS fraud"
        )
        + " GROUP BY merchant_category ORDER BY fraud DESC, transactions DESC LIMIT 50",
        "Those with the largest share of fraud first.",
        amount=Unit.MONEY,
        fraud=Unit.SHARE,
    ),
    table(
        "Countries",
        _figures(
            "country, sum(transactions) AS transactions, sum(amount_base_minor) / 100.0 AS amount,"
            " sum(declined) AS declined, sum(frauds)::float8 / nullif(sum(transactions), 0) AS fraud"
        )
        + " GROUP BY country ORDER BY fraud DESC, transactions DESC LIMIT 50",
        "Those with the largest share of fraud first.",
        amount=Unit.MONEY,
        fraud=Unit.SHARE,
    ),
)

_LOGS = logs(
    "Alerts, as the workers tell them",
    '{program=~"scoring.*"} | json | message="alert"'
    ' | line_format "{{.severity}} {{.transaction_id}}, {{.transactions}} transactions, trace {{.trace_id}}"',
    "At most 20 of a micro-batch. `bdp decisions` and the API's /decisions explain a transaction by its id.",
)

BUSINESS = Dashboard(
    "business",
    "BDP 7: Business",
    "What was bought, what was stopped, and who waits for a person?",
    (*_STATS, *_OVER_TIME, _LOGS),
    range="30d",
)
