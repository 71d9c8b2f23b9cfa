from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.audit import audit
from bdp_assets.ingest.tables import TABLES
from bdp_assets.operations.batch_scores import score_days
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows

FIRST = date(2026, 2, 1)
LAST = FIRST + timedelta(days=2)
ROWS = 90
MATRIX, _ = tiny_rows(len(CATALOG.names), rows=ROWS, seed=6)


@pytest.fixture(scope="module")
def decider(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return Decider.load(tiny_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """Three days of features, of which those of the last transaction are of another catalog."""
    number = pl.int_range(pl.len(), dtype=pl.Int64)
    versions = [CATALOG.version] * (ROWS - 1) + ["0123456789ab"]
    day = pl.lit(FIRST) + pl.duration(days=number % 3)
    features = pl.DataFrame(MATRIX, schema=list(CATALOG.names)).with_columns(
        transaction_id=pl.format("t-{}", number),
        customer_id=pl.format("c-{}", number % 7),
        catalog_version=pl.Series(versions),
        event_date=day,
        ts_ms=day.cast(pl.Datetime("ms")).dt.epoch("ms") + number,
    )
    lake = Lake(str(tmp_path / "lake"))
    lake.append("features", features.select(TABLES["features"].names()))
    return lake


def test_every_row_of_the_models_catalog_is_scored_as_alone(lake: Lake, decider: Decider) -> None:
    scores = score_days(lake, decider, FIRST, LAST)
    assert audit("scores", scores).is_empty()
    assert len(scores) == ROWS - 1
    for row in scores.iter_rows(named=True):
        number = int(row["transaction_id"].removeprefix("t-"))
        assert row["fraud_probability"] == decider.ensemble.score(MATRIX[number : number + 1])[0]


def test_only_the_days_asked_are_scored(lake: Lake, decider: Decider) -> None:
    scores = score_days(lake, decider, LAST, LAST)
    assert scores[EVENT_DATE].unique().to_list() == [LAST]
    assert len(scores) == ROWS // 3 - 1


def test_a_lake_without_features_has_no_scores(tmp_path: Path, decider: Decider) -> None:
    scores = score_days(Lake(str(tmp_path / "empty")), decider, FIRST, LAST)
    assert scores.is_empty()
    assert scores.schema == TABLES["scores"]
