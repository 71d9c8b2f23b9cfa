from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bdp_assets.clients.lake import Lake
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import TABLES
from bdp_assets.settings import Settings
from bdp_assets.training.from_lake import lake_data, lake_of, snapshot
from bdp_assets.training.protocols import Plan, Protocol
from bdp_assets.training.split import DAY_MS, TrainingData, TrainingError

ROWS = 60
SHORT = Protocol(train_days=5, test_days=3)


def rows(table: str, **values: object) -> pl.DataFrame:
    """Rows of a table with these values, and 0, "" or null in the columns that are not named."""
    frame = pl.DataFrame(values)
    filled = [
        pl.col(name).cast(dtype)
        if name in values
        else pl.lit(0 if dtype.is_numeric() else None, dtype).alias(name)
        for name, dtype in TABLES[table].items()
    ]
    return frame.select(filled)


def data(folder: Path, turned: bool) -> TrainingData:
    """What training reads from a lake that got the same rows in another order and in other files."""
    days = pl.Series(
        [pl.Series([n // 2 * DAY_MS]).cast(pl.Datetime("ms")).dt.date().item() for n in range(ROWS)]
    )
    features = rows(
        "features",
        transaction_id=[f"t{n}" for n in range(ROWS)],
        customer_id=["c"] * ROWS,
        ts_ms=[n // 2 * DAY_MS for n in range(ROWS)],
        event_date=days,
        catalog_version=[CATALOG.version] * ROWS,
    )
    labels = rows(
        "labels",
        transaction_id=["t1", "t1", "t2"],
        customer_id=["c"] * 3,
        is_fraud=[True, False, True],
        known_at_ms=[5 * DAY_MS] * 3,
        event_date=days.head(3),
    )
    lake = Lake(str(folder))
    for table, frame in (("features", features), ("labels", labels)):
        pieces = list(frame.iter_slices(7))
        for piece in reversed(pieces) if turned else pieces:
            lake.append(table, piece.reverse() if turned else piece)
    return lake_data(lake, label_delay_days=7)


def test_one_lake_gives_one_training_set_whatever_the_order_of_its_files(tmp_path: Path) -> None:
    straight, turned = data(tmp_path / "straight", turned=False), data(tmp_path / "turned", turned=True)
    assert_frame_equal(straight.train_rows(), turned.train_rows())
    assert_frame_equal(straight.test_rows(), turned.test_rows())
    assert len(straight.train_rows()) == 18


@pytest.mark.parametrize(("until", "cut"), [(100, 30), (30, 30), (29.5, 30), (29, 29), (25, 25)])
def test_as_of_a_day_nothing_later_is_read(tmp_path: Path, until: float, cut: int) -> None:
    data(tmp_path, turned=False)
    plan = Plan(SHORT, until_ms=int(until * DAY_MS))
    found = lake_data(Lake(str(tmp_path)), 4, plan)
    assert found.cut_ms == cut * DAY_MS
    assert found.split.test_end_ms == (cut - 4) * DAY_MS
    assert found.features["ts_ms"].max() == (cut - 1) * DAY_MS  # two transactions at each midnight


@pytest.mark.parametrize(
    ("latest", "later"),
    [
        (Plan(SHORT, start_ms=14 * DAY_MS), Plan(SHORT, start_ms=15 * DAY_MS)),
        (Plan(SHORT, cut_ms=30 * DAY_MS), Plan(SHORT, cut_ms=31 * DAY_MS)),
        (
            Plan(SHORT, start_ms=9 * DAY_MS, cut_ms=30 * DAY_MS),
            Plan(SHORT, start_ms=9 * DAY_MS, cut_ms=31 * DAY_MS),
        ),
    ],
)
def test_labels_that_are_not_due_yet_are_not_tested_on(tmp_path: Path, latest: Plan, later: Plan) -> None:
    """The lake ends with 30 January: a test on what nobody knows yet would take fraud for good."""
    data(tmp_path, turned=False)
    assert lake_data(Lake(str(tmp_path)), 4, latest).cut_ms == 30 * DAY_MS
    with pytest.raises(
        TrainingError,
        match=r"ends at 1970-01-31.*--start .* is 1970-01-15, and the latest --cut 1970-01-31",
    ):
        lake_data(Lake(str(tmp_path)), 4, later)


def test_before_the_first_transaction_there_is_nothing_to_train_on(tmp_path: Path) -> None:
    data(tmp_path, turned=False)
    with pytest.raises(TrainingError, match="before 1970-01-01"):
        lake_data(Lake(str(tmp_path)), 4, Plan(until_ms=0))


def test_a_snapshot_names_versions_and_is_read_again(tmp_path: Path) -> None:
    before = data(tmp_path, turned=False)
    lake, settings = Lake(str(tmp_path)), Settings(lake_url=str(tmp_path))
    named = snapshot(lake)
    assert named == f"features@{lake.version('features')} labels@{lake.version('labels')}"
    lake.replace("features", lake.read("features").head(9), "true")
    again = lake_of(settings, named)
    assert snapshot(again) == named
    assert_frame_equal(lake_data(again, 7).train_rows(), before.train_rows())
    assert lake_of(settings, None).count("features") == 9


@pytest.mark.parametrize("wanted", ["", "features", "features@", "features@new", "raw.parquet@1", "@1"])
def test_what_is_no_snapshot_is_told(tmp_path: Path, wanted: str) -> None:
    data(tmp_path, turned=False)
    with pytest.raises(TrainingError, match="no snapshot of the lake"):
        lake_of(Settings(lake_url=str(tmp_path)), wanted)


def test_a_version_that_is_gone_is_told(tmp_path: Path) -> None:
    data(tmp_path, turned=False)
    with pytest.raises(TrainingError, match="no version 999 of table labels"):
        lake_of(Settings(lake_url=str(tmp_path)), "labels@999")
