"""docs/api.md: each bad day names a test that there is, and counts what there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from prometheus_client.metrics import MetricWrapperBase

from bdp_assets.observability import metrics

TESTS = Path(__file__).parents[2]
DOCS = TESTS.parent / "docs"
SECTION = (DOCS / "api.md").read_text().partition("## When a part is away\n")[2].partition("\n## ")[0]
ROWS = [line for line in SECTION.splitlines() if line.startswith("| ")][1:]
NAMED = re.compile(r"`(test_\w+)`")


def sources() -> str:
    return "\n".join(file.read_text() for file in TESTS.rglob("test_*.py"))


def test_each_mode_has_a_test_that_exists() -> None:
    there = set(re.findall(r"^def (test_\w+)\(", sources(), re.MULTILINE))
    assert len(ROWS) >= 12
    for row in ROWS:
        named = NAMED.findall(row)
        assert named or row.endswith("| the same |"), row
        assert set(named) <= there, row


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(bdp_api_\w+)", SECTION))))
def test_what_is_counted_is_a_metric(name: str) -> None:
    declared = [metric for metric in vars(metrics).values() if isinstance(metric, MetricWrapperBase)]
    families = [family for metric in declared for family in metric.collect()]
    assert name in {family.name + ("_total" if family.type == "counter" else "") for family in families}
