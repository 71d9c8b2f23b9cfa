"""What the exporter says of what is away, and of what runs left behind."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from prometheus_client import REGISTRY, CollectorRegistry, generate_latest

from bdp_assets.clients.postgres import WarehouseUnavailable
from bdp_assets.observability import platform_metrics, quality_metrics
from bdp_assets.operations import exporter
from bdp_assets.settings import Settings


def value(name: str, **labels: str) -> float | None:
    return REGISTRY.get_sample_value(name, labels)


def test_what_is_away_is_told_and_its_numbers_are_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    away: set[str] = set()

    def kafka(_settings: Settings) -> None:
        platform_metrics.GROUP_LAG.labels("bdp-scoring").set(7)

    def warehouse(_settings: Settings) -> None:
        if "warehouse" in away:
            raise WarehouseUnavailable("it is away")
        platform_metrics.WAREHOUSE_SIZE.set(1_000)

    monkeypatch.setattr(exporter.web, "dagster_heartbeat_s", lambda _settings: 0.0)
    size = (platform_metrics.WAREHOUSE_SIZE,)
    monkeypatch.setattr(exporter, "SYSTEMS", {"warehouse": (warehouse, size), "kafka": (kafka, ())})
    settings = Settings(home=tmp_path)

    exporter.look(settings)
    assert value("bdp_platform_system_up_info", system="warehouse") == 1
    assert value("bdp_warehouse_size_bytes") == 1_000

    away.add("warehouse")
    exporter.look(settings)
    assert value("bdp_platform_system_up_info", system="warehouse") == 0
    assert math.isnan(value("bdp_warehouse_size_bytes") or 0)
    assert value("bdp_platform_system_up_info", system="kafka") == 1, "the others are asked"
    assert value("bdp_kafka_group_lag_messages", group="bdp-scoring") == 7

    away.clear()
    exporter.look(settings)
    assert value("bdp_warehouse_size_bytes") == 1_000


def test_a_defect_is_not_taken_for_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_settings: Settings) -> None:
        raise KeyError

    monkeypatch.setattr(exporter, "SYSTEMS", {"kafka": (broken, ())})
    with pytest.raises(KeyError):
        exporter.look(Settings(home=tmp_path))


def test_files_of_runs_are_shown_as_they_are_now(tmp_path: Path) -> None:
    registry = CollectorRegistry()
    registry.register(exporter.Files(tmp_path))
    assert generate_latest(registry) == b""
    for score in (90.0, 50.0):
        quality_metrics.write(tmp_path, scores={"raw": score}, failed={("raw", "nulls"): True}, judged_s=1)
        text = generate_latest(registry).decode()
        assert f'bdp_quality_score_ratio{{table="raw"}} {score / 100}' in text
        assert 'bdp_quality_check_failed_info{check="nulls",table="raw"} 1.0' in text
