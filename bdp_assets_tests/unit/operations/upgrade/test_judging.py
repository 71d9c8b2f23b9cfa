"""Verdicts on states as they are found, and what the command ends with."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from bdp_assets.cli.upgrade_table import exit_code
from bdp_assets.clients.lake import Lake
from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.features.layout import FORMAT
from bdp_assets.ingest.tables import TABLES
from bdp_assets.operations import migrations
from bdp_assets.operations.upgrade import examination, lake
from bdp_assets.operations.upgrade.examination import STATES
from bdp_assets.operations.upgrade.online_store import OURS, Kept, judge
from bdp_assets.operations.upgrade.state import State, Verdict
from bdp_assets.operations.upgrade.upgrading import STEPS, refuse_newer
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle


@pytest.mark.parametrize(
    ("there", "verdict"),
    [
        (set(), "absent"),
        ({OURS}, "current"),
        ({OURS, Kept(FORMAT - 1, CATALOG.version)}, "current"),
        ({Kept(FORMAT - 1, CATALOG.version)}, "due"),
        ({Kept(FORMAT, "another")}, "due"),
        ({Kept(FORMAT + 1, CATALOG.version)}, "newer"),
        ({OURS, Kept(FORMAT + 1, "another")}, "newer"),
    ],
)
def test_the_online_store(there: set[Kept], verdict: Verdict) -> None:
    assert judge(there).verdict == verdict


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, home=tmp_path, lake_url=str(tmp_path / "lake"))  # type: ignore[call-arg]


def test_a_lake_without_tables_is_absent_and_one_of_today_current(settings: Settings) -> None:
    assert lake.examine(settings).verdict == "absent"
    for table, schema in TABLES.items():
        Lake.of(settings).append(table, pl.DataFrame(schema=schema))
    assert lake.examine(settings).verdict == "current"


def test_a_column_that_lacks_is_added_once(settings: Settings) -> None:
    store, (*kept, last) = Lake.of(settings), TABLES["labels"].names()
    store.append("labels", pl.DataFrame(schema=TABLES["labels"]).select(kept))
    assert lake.examine(settings).verdict == "due"
    assert f"labels: {last}" in lake.examine(settings).do
    lake.add_columns(settings)
    assert lake.examine(settings).verdict == "current"
    version = store.version("labels")
    lake.add_columns(settings)
    assert store.version("labels") == version


def test_a_column_of_another_type_is_not_touched(settings: Settings) -> None:
    Lake.of(settings).append("labels", pl.DataFrame(schema={**TABLES["labels"], "is_fraud": pl.Int64()}))
    found = lake.examine(settings)
    assert found.verdict == "by hand"
    assert "is_fraud" in found.do


def test_a_model_is_judged_by_its_features(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    assert examination.model(settings).verdict == "absent"
    tiny_bundle(settings.models_dir / "champion")
    assert examination.model(settings).verdict == "current"
    monkeypatch.setattr(examination, "CATALOG", HANDBOOK)
    assert examination.model(settings).verdict == "by hand"


def test_later_versions_of_our_topics_are_seen_and_topics_of_others_are_not() -> None:
    present = {"transactions-raw-v1", "transactions-raw-v2", "orders-v9", "__consumer_offsets"}
    assert examination._later(present) == ["transactions-raw-v2"]


def test_revisions_that_the_code_has_are_known() -> None:
    assert migrations.is_known(None)
    assert migrations.is_known("0001")
    assert migrations.is_known(migrations.newest())
    assert not migrations.is_known("9999")


def state(verdict: Verdict) -> State:
    return State("part", "that", "this", verdict, "Do.")


def test_what_is_newer_is_refused_by_name() -> None:
    refuse_newer([state("current"), state("by hand"), state("due"), state("absent")])
    with pytest.raises(Problem, match=r"nothing was changed\. part: that, here this"):
        refuse_newer([state("due"), state("newer")])


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        ((), 0),
        (("current", "absent"), 0),
        (("current", "due"), 3),
        (("due", "by hand"), 1),
        (("newer", "due"), 1),
    ],
)
def test_exit_codes(verdicts: tuple[Verdict, ...], code: int) -> None:
    assert exit_code([state(verdict) for verdict in verdicts]) == code


def test_every_state_has_a_step_but_the_model() -> None:
    assert STATES.keys() - STEPS.keys() == {"model"}
    assert STEPS.keys() <= STATES.keys()
