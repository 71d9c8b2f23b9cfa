from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from prometheus_client.metrics import MetricWrapperBase

from bdp_assets.observability import metrics

UNITS = "total|seconds|bytes|ratio|messages|transactions|info"


def test_names_say_area_thing_and_unit() -> None:
    declared = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    assert declared
    for metric in declared:
        for family in metric.collect():
            name = family.name + ("_total" if family.type == "counter" else "")
            assert re.fullmatch(rf"bdp_[a-z]+_[a-z0-9_]+_({UNITS})", name), name


def test_one_process_shows_its_own_and_the_process_itself() -> None:
    metrics.API_DEGRADED.inc()
    text = metrics.exposition().decode()
    assert "bdp_api_degraded_total" in text
    assert "process_resident_memory_bytes" in text


def test_workers_that_share_a_folder_are_added_up(tmp_path: Path) -> None:
    code = """
from bdp_assets.observability import metrics
metrics.API_DEGRADED.inc()
print(metrics.exposition().decode())
"""
    environment = {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    for expected in ("1.0", "2.0"):
        output = subprocess.run(
            [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
        ).stdout
        assert f"bdp_api_degraded_total {expected}" in output
        assert "process_resident_memory_bytes" in output
