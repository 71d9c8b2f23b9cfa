"""Do the workers keep up, and what do they refuse?"""

from __future__ import annotations

from bdp_assets.operations.dashboards.panels import Dashboard, Source, Unit, above, below, lines, logs, stat
from bdp_assets.operations.dashboards.promql import or_zero, per_second, quantile

_FRESH = ("bdp_stream_freshness_seconds", "", 'until="output"')

_STATS = (
    stat(
        "Messages",
        per_second("bdp_stream_messages_total"),
        Unit.PER_SECOND,
        "Messages whose results and offsets are committed, of all workers.",
    ),
    stat(
        "Lag",
        "sum(bdp_kafka_group_lag_messages)",
        Unit.NUMBER,
        "Messages that wait for a worker, of all groups, as the exporter counts them.",
        limits=above(1_000, 10_000),
        runbook="GroupLag",
    ),
    stat(
        "Freshness, p99",
        quantile(0.99, *_FRESH),
        Unit.SECONDS,
        "From Kafka taking a batch's oldest message until its output can be read. The objective is 1 s.",
        limits=above(0.5, 1),
        runbook="ErrorBudgetBurnsFast",
    ),
    stat(
        "Fresh enough, 1 h",
        '1 - slo:errors:ratio_1h{slo="stream_freshness"}',
        Unit.SHARE,
        "Share of the batches within 1 s. The objective is 99% over 30 days. NaN: no messages.",
        limits=below(0.995, 0.99),
        runbook="ErrorBudgetBurnsFast",
    ),
    stat(
        "Refused",
        f"{per_second('bdp_stream_dead_letters_total')} / ({per_second('bdp_stream_messages_total')} > 0)"
        " or vector(0)",
        Unit.SHARE,
        "Share of the messages that become dead letters. `bdp dlq list` has them.",
        limits=above(0.01, 0.05),
        runbook="DeadLetterRate",
    ),
    stat(
        "Batches redone, 1 h",
        "sum(increase(bdp_stream_retries_total[1h])) or vector(0)",
        Unit.NUMBER,
        "Micro-batches that were begun again; nothing is lost or doubled, but it takes time.",
        limits=above(10, 360),
        runbook="BatchesRedone",
    ),
)

_OVER_TIME = (
    lines(
        "Messages by worker",
        {"{{program}}": per_second("bdp_stream_messages_total", "program")},
        Unit.PER_SECOND,
        "Committed messages.",
    ),
    lines(
        "Lag by group",
        {"{{group}}": "bdp_kafka_group_lag_messages"},
        Unit.NUMBER,
        "Rises while more comes than is done. Flat and high: the worker stands.",
        limits=above(1_000, 10_000),
        runbook="GroupLag",
    ),
    lines(
        "Freshness of outputs",
        {"p50": quantile(0.5, *_FRESH), "p99": quantile(0.99, *_FRESH)},
        Unit.SECONDS,
        "Oldest message of each micro-batch, until its output can be read by everybody.",
        limits=above(0.5, 1),
        runbook="ErrorBudgetBurnsFast",
    ),
    lines(
        "Time of a step, p95",
        {"{{step}}": quantile(0.95, "bdp_stream_step_duration_seconds", "step")},
        Unit.SECONDS,
        "Of a batch. `enrich` waits for the online store, `commit` for Kafka, `score` for the processor.",
    ),
    lines(
        "Size of micro-batches",
        {
            "p50": quantile(0.5, "bdp_stream_batch_size_messages"),
            "p95": quantile(0.95, "bdp_stream_batch_size_messages"),
        },
        Unit.NUMBER,
        "Large batches are a worker that catches up.",
    ),
    lines(
        "Refused, by reason",
        {"{{error}}": or_zero(per_second("bdp_stream_dead_letters_total", "error"))},
        Unit.PER_SECOND,
        "Error codes; docs/dead-letters.md says what each is and how to replay. Without a name: none.",
        runbook="DeadLetterRate",
    ),
    lines(
        "Batches redone, by reason",
        {"{{reason}}": or_zero(per_second("bdp_stream_retries_total", "reason"))},
        Unit.PER_SECOND,
        "A system that was away, or an aborted transaction. Without a name: none.",
        limits=above(0.1),
        runbook="BatchesRedone",
    ),
    lines(
        "Rebalances",
        {"{{event}}": "sum by (event) (increase(bdp_stream_rebalances_total[5m]))"},
        Unit.NUMBER,
        "In five minutes. Some with each start and stop; more: a worker dies, or is too slow to stay.",
    ),
    lines(
        "Not in the lake yet",
        {"offsets": "bdp_lake_lag_messages"},
        Unit.NUMBER,
        "Offsets of all landed topics, with markers of transactions. A saw-tooth is as it should be.",
        runbook="LakeStale",
    ),
    lines(
        "Windows",
        {
            "{{window}}: changed": per_second("bdp_analytics_windows_changed_total", "window"),
            "{{window}}: too late": or_zero(per_second("bdp_analytics_late_transactions_total", "window")),
        },
        Unit.PER_SECOND,
        "New totals of groups in windows, and transactions that came after a window's grace.",
    ),
    lines(
        "Refused, as the logs tell",
        {
            "{{error}}": 'sum by (error) (count_over_time({program=~"scoring.*|labels.*"} | json'
            ' | message="message refused" [$__auto]))'
        },
        Unit.NUMBER,
        "Lines, at most 20 of a batch: whose traces they are is below.",
        source=Source.LOKI,
        width=24,
    ),
)

_LOGS = logs(
    "Logs of the workers",
    '{program=~"scoring.*|labels.*|analytics.*"} | json | level!=""'
    ' | line_format "{{.level}} {{.service}}: {{.message}} {{.error}} {{.trace_id}}"',
    "A refused message is named by its topic, partition, offset and trace, never by what was in it.",
)

STREAMS = Dashboard(
    "streams",
    "BDP 3: Streams",
    "Do the workers keep up, and what do they refuse?",
    (*_STATS, *_OVER_TIME, _LOGS),
)
