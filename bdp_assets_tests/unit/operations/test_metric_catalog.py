"""docs/metrics.md has every metric, and each is named, described and bounded."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bdp_assets.cli.metric_tables import page
from bdp_assets.operations.metric_catalog import LABELS, UNITS, Metric, metrics
from bento import openapi

ROOT = Path(__file__).parents[3]
METRICS = metrics()
NAMED = re.compile(rf'"(bdp_[a-z0-9_]+_(?:{"|".join(UNITS)}))"')
MADE = re.compile(r"\b(?:Counter|Gauge|Histogram|Summary|Info|Enum)\(\s*\"(\w+)\"")


def test_the_page_is_what_the_code_measures() -> None:
    """Made anew by `bdp metrics page > docs/metrics.md`."""
    assert (ROOT / "docs" / "metrics.md").read_text() == page(METRICS)


def test_every_metric_that_any_code_makes_is_there() -> None:
    sources = [file for room in ("bdp_assets", "bento") for file in (ROOT / room).rglob("*.py")]
    made = {name for file in sources for find in (MADE, NAMED) for name in find.findall(file.read_text())}
    assert made == {metric.name for metric in METRICS}


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_each_has_a_unit_a_meaning_and_bounded_labels(metric: Metric) -> None:
    assert re.fullmatch(rf"bdp_[a-z]+_[a-z0-9_]+_({'|'.join(UNITS)})", metric.name)
    assert (metric.type == "counter") == metric.name.endswith("_total")
    assert len(metric.meaning) > 15
    for label in metric.labels:
        assert len(set(LABELS[label])) == len(LABELS[label]) <= 100


def test_every_status_that_the_api_documents_is_a_value() -> None:
    routes = json.loads(openapi.document())["paths"].values()
    documented = {status for route in routes for call in route.values() for status in call["responses"]}
    assert documented
    assert documented <= set(LABELS["status"])


def test_every_error_code_of_the_contracts_and_streams_is_a_value() -> None:
    """A code is written where it is refused, or as a constant of the module that does."""
    refused = re.compile(
        r"(?:ContractError\(\s*|fault = \(|return |_CRASHED = |_DECODABLE = |_TRANSACTION = )\"(\w+)\",?"
    )
    rooms = [
        *(ROOT / "bdp_assets/contracts").glob("refusal.py"),
        *(ROOT / "bdp_assets/streaming").rglob("*.py"),
    ]
    written = {code for file in rooms for code in refused.findall(file.read_text())}
    assert len(written) > 8
    assert written <= set(LABELS["error"]), written - set(LABELS["error"])
