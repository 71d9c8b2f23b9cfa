"""The exporter: asks systems that show no metrics of ours, again and again, and shows what they say.

It looks in its own time, not when it is scraped: a slow system delays no scrape. What can not be asked is
missing (labelled) or NaN until it can, and `bdp_platform_system_up_info` says so.
"""

from __future__ import annotations

import logging
import math
import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event

from prometheus_client import REGISTRY, Gauge, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

from bdp_assets.clients import postgres, redis
from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, OffsetsGone
from bdp_assets.clients.lake import LakeUnavailable
from bdp_assets.clients.postgres import WarehouseUnavailable
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.observability import platform_metrics as metrics
from bdp_assets.operations.landing_lag import not_landed, oldest_waiting_s
from bdp_assets.operations.verify.lag import READERS, waiting
from bdp_assets.runtime import web
from bdp_assets.settings import Settings

EVERY_S = 15.0
AWAY = (KafkaUnavailable, KafkaRefused, OffsetsGone, LakeUnavailable, WarehouseUnavailable, StoreUnavailable)
_log = logging.getLogger(__name__)


def kafka(settings: Settings) -> None:
    """Raises KafkaUnavailable, KafkaRefused."""
    for group, topic in READERS.items():
        metrics.GROUP_LAG.labels(group).set(waiting(settings, group, topic))


def lake(settings: Settings) -> None:
    """Raises KafkaUnavailable, KafkaRefused, OffsetsGone."""
    metrics.LAKE_LAG.set(not_landed(settings))
    metrics.LAKE_WAITING.set(oldest_waiting_s(settings))


def store(settings: Settings) -> None:
    """Raises StoreUnavailable."""
    used, limit = redis.memory(redis.connect(settings))
    metrics.STORE_MEMORY.set(used)
    metrics.STORE_MEMORY_LIMIT.set(limit)


def warehouse(settings: Settings) -> None:
    """Raises WarehouseUnavailable."""
    size, used, most = postgres.room(settings)
    metrics.WAREHOUSE_SIZE.set(size)
    metrics.WAREHOUSE_CONNECTIONS.set(used / most)


SYSTEMS: dict[str, tuple[Callable[[Settings], None], tuple[Gauge, ...]]] = {
    "kafka": (kafka, ()),
    "lake": (lake, (metrics.LAKE_LAG, metrics.LAKE_WAITING)),
    "online_store": (store, (metrics.STORE_MEMORY, metrics.STORE_MEMORY_LIMIT)),
    "warehouse": (warehouse, (metrics.WAREHOUSE_SIZE, metrics.WAREHOUSE_CONNECTIONS)),
}
"""Value of the label `system` -> who asks it, and what nobody knows while it is away."""


def look(settings: Settings) -> None:
    """Ask everything once; what is away is told, and hinders nothing else."""
    for system, (ask, unknown) in SYSTEMS.items():
        try:
            ask(settings)
        except AWAY as error:
            _log.warning("%s is away: %s", system, error)
            metrics.SYSTEM_UP.labels(system).set(0)
            _forget(system, unknown)
        else:
            metrics.SYSTEM_UP.labels(system).set(1)
    metrics.DAEMON_HEARTBEAT.set(web.dagster_heartbeat_s(settings))
    disk = shutil.disk_usage(settings.home)
    metrics.DISK_FREE.set(disk.free)
    metrics.DISK_SIZE.set(disk.total)
    metrics.LOOKED.set(time.time())


def _forget(system: str, unknown: Iterable[Gauge]) -> None:
    if system == "kafka":
        metrics.GROUP_LAG.clear()
    for gauge in unknown:
        gauge.set(math.nan)


class Files(Collector):
    """Metrics that work which ends has left as `*.prom` files in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        for file in sorted(self._folder.glob("*.prom")):
            yield from text_string_to_metric_families(file.read_text())

    def describe(self) -> Iterable[Metric]:
        """Nothing: what files hold is not known before they are read."""
        return ()


def serve(settings: Settings, stop: Event, every_s: float = EVERY_S) -> None:
    """Show metrics at the exporter's port on loopback until `stop`. Raises OSError: it is taken."""
    REGISTRY.register(Files(settings.metrics_dir))
    server, thread = start_http_server(settings.exporter_port, addr=settings.listen)
    try:
        while not stop.is_set():
            look(settings)
            stop.wait(every_s)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
