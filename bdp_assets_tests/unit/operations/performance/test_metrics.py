from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl
import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from bdp_assets.decisions.tuning import COSTS
from bdp_assets.monitoring.performance.decay import Decay
from bdp_assets.monitoring.performance.segments import SEGMENTS
from bdp_assets.monitoring.performance.window import Window
from bdp_assets.observability.performance_metrics import LABELS, gauges
from bdp_assets.operations.performance.figures import CHALLENGER, CHAMPION, RIVAL, SCHEMA
from bdp_assets.operations.performance.measuring import Performance
from bdp_assets.operations.performance.metrics import publish
from bdp_assets.settings import Settings

AS_OF = date(2026, 3, 10)


def figures() -> pl.DataFrame:
    """Of three champions and two challengers, in every member there is."""
    members = [("all", "all"), *((one.name, member) for one in SEGMENTS for member in one.members)]
    who = [(CHAMPION, version) for version in ("8", "9", "10")]
    who += [(role, version) for role in (CHALLENGER, RIVAL) for version in ("9", "11")]
    rows = [
        {"role": role, "model_version": version, "segment": segment, "member": member}
        | {"transactions": int(version), "recall": None if member == "night" else 0.5}
        for role, version in who
        for segment, member in members
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def samples(home: Path, serving: str | None) -> dict[tuple[str, ...], float]:
    settings = Settings(_env_file=None, home=home)  # type: ignore[call-arg]
    if serving:
        (settings.models_dir / serving).mkdir(parents=True)
        (settings.models_dir / "champion").symlink_to(serving)
    numbers = {"registered": 0.6, "matured": 0.3, "low": 0.2, "high": 0.4, "bound": 0.2}
    decays = [Decay(AS_OF, "8", transactions=9, frauds=9, **numbers)]
    path = publish(settings, Performance(Window(AS_OF, 7), COSTS, figures(), decays=decays))
    text = path.read_text()
    return {
        (sample.name, *(sample.labels[name] for name in LABELS if sample.labels)): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.parametrize(("serving", "shown"), [("8", 8), (None, 10), ("7", 10)])
def test_of_each_role_one_version_is_shown(tmp_path: Path, serving: str | None, shown: int) -> None:
    """The one that serves, or the newest."""
    found = samples(tmp_path, serving)
    name = "bdp_performance_matured_transactions"
    of_all = {role: found[name, role, "all", "all"] for role in (CHAMPION, CHALLENGER, RIVAL)}
    assert of_all == {CHAMPION: shown, CHALLENGER: 11, RIVAL: 11}
    decayed = found["bdp_performance_decayed_info",]
    assert decayed == 1 if serving == "8" else decayed != decayed  # noqa: PLR0124 - not a number


def test_labels_are_bounded_and_a_figure_that_is_none_is_left_out(tmp_path: Path) -> None:
    found = samples(tmp_path, None)
    members = 1 + sum(len(segment.members) for segment in SEGMENTS)
    assert len(found) <= len(gauges(CollectorRegistry()).figures) * 3 * members + 2
    recalls = {labels[3] for labels in found if labels[0] == "bdp_performance_recall_ratio"}
    assert "day" in recalls
    assert "night" not in recalls
