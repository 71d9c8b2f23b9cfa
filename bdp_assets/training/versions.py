"""Registered versions as tables for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.table import Table

from bdp_assets.clients.registry import RegisteredVersion

METRICS = {
    "average_precision": "AP",
    "auc": "AUC",
    "card_precision_at_100": "CP@100",
    "calibration_error": "cal. error",
}


def as_table(versions: Sequence[RegisteredVersion]) -> Table:
    table = Table("version", "aliases", "registered (UTC)", *METRICS.values(), "catalog")
    for row in versions:
        metrics = [_number(row.metrics.get(name)) for name in METRICS]
        aliases, catalog = ", ".join(row.aliases), row.tags.get("catalog_version", "")
        table.add_row(row.version, aliases, _time(row.created_ms), *metrics, catalog)
    return table


def as_card(row: RegisteredVersion) -> Table:
    table = Table("property", "value", title=f"version {row.version}")
    table.add_row("aliases", ", ".join(row.aliases))
    table.add_row("registered (UTC)", _time(row.created_ms))
    table.add_row("run", row.run_id)
    for name, metric in sorted(row.metrics.items()):
        table.add_row(name, _number(metric))
    for name, tag in sorted(row.tags.items()):
        table.add_row(name, tag)
    return table


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.4g}"


def _time(ms: int) -> str:
    return f"{datetime.fromtimestamp(ms / 1000, UTC):%Y-%m-%d %H:%M:%S}"
