"""Is everything there, and has it room?"""

from __future__ import annotations

from bdp_assets.operations.dashboards.panels import (
    Dashboard,
    Source,
    Unit,
    above,
    below,
    lines,
    logs,
    stat,
    states,
)

_STATS = (
    stat(
        "Programs up",
        "sum(up) / count(up)",
        Unit.SHARE,
        "Share of the programs that Prometheus asks and that answer. Below it is who does not.",
        limits=below(1),
        runbook="WorkerDown",
    ),
    stat(
        "Systems usable",
        "min(bdp_platform_system_up_info)",
        Unit.YES_NO,
        "Whether the exporter can use Kafka, lake, online store and warehouse: all of them.",
        limits=below(1),
        runbook="SystemAway",
    ),
    stat(
        "Alerts firing",
        'count(ALERTS{alertstate="firing"}) or vector(0)',
        Unit.NUMBER,
        "Alerts of any severity. Below are their names; each has a section in the runbook.",
        limits=above(1),
    ),
    stat(
        "Oldest not in the lake",
        "bdp_lake_oldest_waiting_seconds",
        Unit.SECONDS,
        "How long the oldest message has waited for the lake. Landing runs every few minutes.",
        limits=above(300, 1800),
        runbook="LakeStale",
    ),
    stat(
        "Dagster silent for",
        "time() - bdp_dagster_heartbeat_seconds",
        Unit.SECONDS,
        "Since the last sign of life of Dagster's daemons. Decades: never, or its webserver is away.",
        limits=above(120, 300),
        runbook="DagsterDaemonSilent",
    ),
    stat(
        "Disk free",
        "bdp_disk_free_bytes / bdp_disk_size_bytes",
        Unit.SHARE,
        "Of the disk of BDP_HOME. Kafka, the spool and PostgreSQL stop where it is full.",
        limits=below(0.2, 0.1),
        runbook="DiskFull",
    ),
)

_OVER_TIME = (
    states(
        "Programs",
        "up",
        "{{program}}",
        "Each program that shows metrics: green where Prometheus got them.",
        runbook="WorkerDown",
    ),
    states(
        "Systems",
        "bdp_platform_system_up_info",
        "{{system}}",
        "What the exporter can use; what it says of a system that is away is missing meanwhile.",
        runbook="SystemAway",
    ),
    lines(
        "Error budgets: speed of spending",
        {"{{slo}}": "slo:errors:ratio_1h / on (slo, team) group_left () slo:budget:ratio"},
        Unit.NUMBER,
        "Over the last hour. 1: the budget of 30 days lasts 30 days; 14.4: two days, and somebody is woken.",
        limits=above(1, 14.4),
        runbook="ErrorBudgetBurnsFast",
    ),
    lines(
        "Alerts firing, by name",
        {"{{alertname}}": 'count by (alertname) (ALERTS{alertstate="firing"}) or on () vector(0)'},
        Unit.NUMBER,
        "A line without a name: there are none.",
    ),
    lines(
        "Online store: memory",
        {"used": "bdp_store_memory_bytes", "limit (0: none)": "bdp_store_memory_limit_bytes"},
        Unit.BYTES,
        "At its limit the store refuses writes, and the API decides without history.",
        runbook="StoreMemoryFull",
    ),
    lines(
        "Warehouse: connections in use",
        {"share": "bdp_warehouse_used_connections_ratio"},
        Unit.SHARE,
        "Of PostgreSQL's max_connections. At 1 nobody gets in any more.",
        limits=above(0.6, 0.8),
        runbook="WarehouseConnections",
    ),
    lines(
        "Room",
        {"disk free": "bdp_disk_free_bytes", "warehouse's size": "bdp_warehouse_size_bytes"},
        Unit.BYTES,
        "Free on the disk of BDP_HOME, and what the warehouse takes.",
        runbook="DiskFills",
    ),
    lines(
        "Memory of programs",
        {"{{program}}": "process_resident_memory_bytes"},
        Unit.BYTES,
        "Resident memory. Of the API it is the process that answered. Growth without end is a leak.",
    ),
    lines(
        "Errors and warnings in logs",
        {
            "{{program}}": 'sum by (program) (count_over_time({program=~".+"} | json'
            ' | level=~"warning|error|critical" [$__auto])) or on () vector(0)'
        },
        Unit.NUMBER,
        "Lines of the step's length, by program. A line without a name: there are none.",
        source=Source.LOKI,
        width=24,
    ),
)

_LOGS = logs(
    "Logs of all programs",
    '{program=~".+"} | json | level!="" | line_format "{{.level}} {{.service}}: {{.message}}"',
    "Structured lines; open one for its fields. Narrow it in Explore by level, service or trace_id.",
)

PLATFORM = Dashboard(
    "platform",
    "BDP 1: Platform",
    "Is everything there, and has it room? Begin here.",
    (*_STATS, *_OVER_TIME, _LOGS),
)
