"""A file's transactions with their labels, wherever it keeps them."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from bdp_assets.features.bulk.failures import BulkFailed
from bdp_assets.ingest.labelled import labelled
from bdp_assets.ingest.mapping import MappingError, load_mapping
from bdp_assets.ingest.source import HistorySource
from bdp_assets_tests.unit.ingest.test_feature_inputs import FOREIGN, MAPPING, MOMENT, READY, file_of

DAY = 86_400_000
FRAUD = ("c2", "t2", True)


def labels_of(source: HistorySource, labels: Path | None = None) -> list[tuple[object, ...]]:
    """customer_id, transaction_id, is_fraud, and how many ms after t1's time it was known."""
    _, found = labelled(source, labels, 3)
    known = pl.col("known_at_ms") - MOMENT
    return found.select("customer_id", "transaction_id", "is_fraud", known).rows()


def test_a_column_of_the_transactions(tmp_path: Path) -> None:
    source = HistorySource(file_of({**READY, "is_fraud": [False, True]}, tmp_path))
    assert labels_of(source) == [(*FRAUD, 1_500 + 3 * DAY)]
    transactions, _ = labelled(source, None, 3)
    assert set(transactions.columns) == set(READY)


def test_a_column_with_the_time_at_which_it_was_known_where_it_is(tmp_path: Path) -> None:
    told = {**READY, "is_fraud": [1, 1], "known_at_ms": [MOMENT + DAY, None]}
    assert labels_of(HistorySource(file_of(told, tmp_path))) == [
        ("c1", "t1", True, DAY),
        (*FRAUD, 1_500 + 3 * DAY),
    ]


def test_csv_is_the_same(tmp_path: Path) -> None:
    file = tmp_path / "transactions.csv"
    pl.DataFrame({**READY, "is_fraud": [False, True]}).write_csv(file)
    assert labels_of(HistorySource(file)) == [(*FRAUD, 1_500 + 3 * DAY)]


def test_a_mapping_says_which_column_and_how_late(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yaml"
    mapping.write_text(yaml.safe_dump(MAPPING))
    source = HistorySource(file_of(FOREIGN, tmp_path), load_mapping(mapping))
    assert labels_of(source) == [(*FRAUD, 7 * DAY)]


def test_a_file_of_labels_goes_first_with_reversals_and_without_strangers(tmp_path: Path) -> None:
    source = HistorySource(file_of({**READY, "is_fraud": [True, True]}, tmp_path))
    own = tmp_path / "mine.parquet"
    pl.DataFrame(
        {
            "customer_id": ["c1", "c1", "c9"],
            "transaction_id": ["t1", "t1", "t9"],
            "is_fraud": [True, False, True],
            "known_at_ms": [MOMENT + 1, MOMENT + 2, None],
        }
    ).write_parquet(own)
    assert labels_of(source, own) == [("c1", "t1", True, 1), ("c1", "t1", False, 2)]


def test_labels_beside_the_file_are_found(tmp_path: Path) -> None:
    source = HistorySource(file_of(READY, tmp_path))
    pl.DataFrame({"customer_id": ["c2"], "transaction_id": ["t2"], "is_fraud": [True]}).write_parquet(
        tmp_path / "labels.parquet"
    )
    assert labels_of(source) == [(*FRAUD, 1_500 + 3 * DAY)]


def test_a_transaction_counts_once(tmp_path: Path) -> None:
    twice = pl.concat([pl.DataFrame(READY)] * 2).with_columns(is_fraud=pl.lit(value=True))
    file = tmp_path / "transactions.parquet"
    twice.write_parquet(file)
    transactions, _ = labelled(HistorySource(file), None, 3)
    assert transactions["transaction_id"].to_list() == ["t1", "t2"]


def test_no_labels_are_told(tmp_path: Path) -> None:
    with pytest.raises(MappingError, match="does not say what was fraud"):
        labelled(HistorySource(file_of(READY, tmp_path)), None, 3)


def test_labels_of_nothing_are_told(tmp_path: Path) -> None:
    source = HistorySource(file_of(READY, tmp_path))
    pl.DataFrame({"is_fraud": [True]}).write_parquet(tmp_path / "labels.parquet")
    with pytest.raises(MappingError, match="lacks customer_id, transaction_id"):
        labelled(source, None, 3)


def test_a_row_without_a_time_is_told(tmp_path: Path) -> None:
    source = HistorySource(file_of({**READY, "ts_ms": [1, None], "is_fraud": [True, True]}, tmp_path))
    with pytest.raises(BulkFailed, match="row 2 has no ts_ms"):
        labelled(source, None, 3)


@pytest.mark.parametrize(
    "told",
    [[1.0, 0.0], ["1.0", "0.0"], [" TRUE", "false"], [1, 0], ["1", "0"], [True, None], ["1", ""], [1, None]],
)
@pytest.mark.parametrize("ending", ["csv", "parquet"])
def test_fraud_is_read_as_people_write_it(told: list[object], ending: str, tmp_path: Path) -> None:
    file = tmp_path / f"rows.{ending}"
    rows = pl.DataFrame({**READY, "is_fraud": told})
    rows.write_csv(file) if ending == "csv" else rows.write_parquet(file)
    _, labels = labelled(HistorySource(file), None, 7)
    assert labels["transaction_id"].to_list() == READY["transaction_id"][:1]


@pytest.mark.parametrize("told", [["Y", "1"], [0.02, 1.0], [float("nan"), 1.0], [2, 0], ["yes", "no"]])
def test_what_is_no_yes_or_no_is_not_guessed(told: list[object], tmp_path: Path) -> None:
    source = HistorySource(file_of({**READY, "is_fraud": told}, tmp_path))
    with pytest.raises(MappingError, match="values of is_fraud are neither"):
        labelled(source, None, 7)
