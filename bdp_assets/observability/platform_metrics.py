"""Metrics of what serves none of ours itself; `operations/exporter.py` asks for them."""

from __future__ import annotations

from prometheus_client import Gauge

SYSTEM_UP = Gauge(
    "bdp_platform_system_up_info",
    "1 while the exporter can use it, else 0; what it says of it is then missing",
    ["system"],
)
GROUP_LAG = Gauge(
    "bdp_kafka_group_lag_messages",
    "Messages after the consumer group's committed offsets; above 1,000 counted by offsets",
    ["group"],
)
LAKE_LAG = Gauge(
    "bdp_lake_lag_messages", "Offsets in the topics (messages, markers of transactions) not in the lake yet"
)
LAKE_WAITING = Gauge(
    "bdp_lake_oldest_waiting_seconds",
    "Since Kafka took the oldest message that the lake has not got; 0 where it has all",
)
DAEMON_HEARTBEAT = Gauge(
    "bdp_dagster_heartbeat_seconds",
    "When the last of Dagster's daemons was alive (Unix time); 0: never, or the webserver does not answer",
)
STORE_MEMORY = Gauge("bdp_store_memory_bytes", "Memory of the online store's servers")
STORE_MEMORY_LIMIT = Gauge(
    "bdp_store_memory_limit_bytes", "What the online store's servers may take (maxmemory); 0: no limit"
)
WAREHOUSE_SIZE = Gauge("bdp_warehouse_size_bytes", "Size of the warehouse's database")
WAREHOUSE_CONNECTIONS = Gauge(
    "bdp_warehouse_used_connections_ratio", "Share of PostgreSQL's max_connections that is in use"
)
DISK_FREE = Gauge("bdp_disk_free_bytes", "Room on the disk of BDP_HOME")
DISK_SIZE = Gauge("bdp_disk_size_bytes", "Size of the disk of BDP_HOME")
LOOKED = Gauge("bdp_exporter_looked_seconds", "When the exporter looked last (Unix time)")
