from __future__ import annotations

from pathlib import Path

import polars as pl
from polars.testing import assert_frame_equal

from bdp_assets.clients.lake import Lake
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import TABLES
from bdp_assets.settings import Settings
from bdp_assets.training.from_lake import lake_data
from bdp_assets.training.split import DAY_MS, TrainingData

ROWS = 60


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
    return lake_data(Settings(lake_url=str(folder)))


def test_one_lake_gives_one_training_set_whatever_the_order_of_its_files(tmp_path: Path) -> None:
    straight, turned = data(tmp_path / "straight", turned=False), data(tmp_path / "turned", turned=True)
    assert_frame_equal(straight.train_rows(), turned.train_rows())
    assert_frame_equal(straight.test_rows(), turned.test_rows())
    assert len(straight.train_rows()) == 18
