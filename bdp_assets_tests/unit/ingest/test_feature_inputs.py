"""Files of three kinds, and the lake, become the same transactions and labels."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest
import yaml

from bdp_assets.clients.lake import Lake
from bdp_assets.features.bulk.arrival import KEPT
from bdp_assets.ingest.feature_inputs import of_file, of_lake
from bdp_assets.ingest.mapping import MappingError, load_mapping
from bdp_assets.ingest.source import HistorySource
from bdp_assets_tests.unit.ingest.test_backfill import label_rows, transactions

KEYS = ("transaction_id", "customer_id", "ts_ms")
MOMENT = 1_767_225_600_000
READY = {
    "transaction_id": ["t1", "t2"],
    "customer_id": ["c1", "c2"],
    "ts_ms": [MOMENT, MOMENT + 1_500],
    "amount_base_minor": [1_234, 50],
    "merchant_id": ["m1", None],
}
CONTRACT = {
    "transaction_id": ["t1", "t2"],
    "customer_id": ["c1", "c2"],
    "timestamp": ["2026-01-01T00:00:00Z", "2026-01-01T00:00:01.500Z"],
    "amount": ["12.34", "0.5"],
    "merchant_id": ["m1", None],
}
FOREIGN = {
    "TX": [1, 2],
    "CARD": [1, 2],
    "WHEN": [MOMENT // 1_000, MOMENT // 1_000],
    "CENTS": [1_234, 50],
    "SHOP": [1, None],
    "FRAUD": [0, 1],
}
MAPPING = {
    "name": "foreign",
    "fields": {
        "transaction_id": {"column": "TX", "prefix": "t"},
        "customer_id": {"column": "CARD", "prefix": "c"},
        "timestamp": {"column": "WHEN", "unit": "s"},
        "amount": {"column": "CENTS", "unit": "minor"},
        "merchant_id": {"column": "SHOP", "prefix": "m"},
    },
    "labels": {"is_fraud": "FRAUD", "known_after_days": 7},
}


def file_of(columns: dict[str, list[object]], folder: Path) -> Path:
    path = folder / "transactions.parquet"
    pl.DataFrame(columns).write_parquet(path)
    return path


def mapped(folder: Path) -> HistorySource:
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(MAPPING))
    return HistorySource(file_of(FOREIGN, folder), load_mapping(path))


@pytest.mark.parametrize("columns", [READY, CONTRACT], ids=["validated", "contract"])
def test_our_own_names_need_no_mapping(columns: dict[str, list[object]], tmp_path: Path) -> None:
    history = of_file(HistorySource(file_of(columns, tmp_path)), None, KEYS)
    rows = history.transactions.rows.collect()
    assert rows.select(READY.keys()).equals(pl.DataFrame(READY))
    assert rows[f"{KEPT}ts_ms"].equals(rows["ts_ms"].alias(f"{KEPT}ts_ms"))
    assert history.labels is None


def test_a_mapped_file_keeps_its_own_names_and_values(tmp_path: Path) -> None:
    history = of_file(mapped(tmp_path), None, KEYS)
    rows = history.transactions.rows.collect()
    expected = pl.DataFrame({**READY, "ts_ms": [MOMENT, MOMENT]})
    assert rows.select(READY.keys()).equals(expected)
    assert rows[f"{KEPT}TX"].to_list() == [1, 2]
    assert [name for name in rows.columns if name.startswith(KEPT)] == [
        f"{KEPT}TX",
        f"{KEPT}CARD",
        f"{KEPT}WHEN",
    ]
    assert history.labels is not None
    assert history.labels.rows.collect().rows() == [("c2", "t2", True, MOMENT + 7 * 86_400_000)]


def test_a_file_of_labels_is_named_or_lies_beside(tmp_path: Path) -> None:
    source = HistorySource(file_of(READY, tmp_path))
    labels = pl.DataFrame(
        {"customer_id": ["c1"], "transaction_id": ["t1"], "is_fraud": ["True"], "known_at_ms": ["7"]}
    )
    labels.write_csv(tmp_path / "given.csv")
    given = of_file(source, tmp_path / "given.csv", KEYS).labels
    assert given is not None
    assert given.rows.collect().rows() == [("c1", "t1", True, 7)]
    labels.write_parquet(tmp_path / "labels.parquet")
    assert of_file(source, None, KEYS).labels is not None


def test_the_transactions_may_say_it_themselves_where_they_say_since_when(tmp_path: Path) -> None:
    told = {**READY, "is_fraud": [0, 1], "known_at_ms": [None, 9]}
    labels = of_file(HistorySource(file_of(told, tmp_path)), None, KEYS).labels
    assert labels is not None
    assert labels.rows.collect().rows() == [("c2", "t2", True, 9)]
    undated = {**READY, "is_fraud": [0, 1]}
    assert of_file(HistorySource(file_of(undated, tmp_path)), None, KEYS).labels is None


def test_of_floats_only_whole_numbers_are_amounts(tmp_path: Path) -> None:
    floats = READY | {"amount_base_minor": [7.0, 7.5], "ts_ms": [float(MOMENT), float("nan")]}
    rows = of_file(HistorySource(file_of(floats, tmp_path)), None, KEYS).transactions.rows.collect()
    assert rows["amount_base_minor"].to_list() == [7, None]
    assert rows["ts_ms"].to_list() == [MOMENT, None]


def test_a_file_of_labels_that_lacks_a_column_is_told(tmp_path: Path) -> None:
    pl.DataFrame({"transaction_id": ["t1"], "is_fraud": [True]}).write_parquet(tmp_path / "given.parquet")
    with pytest.raises(MappingError, match="lacks customer_id, known_at_ms"):
        of_file(HistorySource(file_of(READY, tmp_path)), tmp_path / "given.parquet", KEYS)


def test_the_lake_has_enriched_transactions_and_labels(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    enriched = transactions(20)
    lake.append("enriched", enriched)
    without = of_lake(lake, KEYS).labels
    assert without is not None
    assert without.size() == 0
    lake.append("labels", label_rows(enriched[::4], 5))
    history = of_lake(lake, KEYS)
    assert history.transactions.size() == 20
    assert history.labels is not None
    assert history.labels.size() == 5
