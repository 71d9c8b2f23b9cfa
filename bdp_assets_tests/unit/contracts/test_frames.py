from __future__ import annotations

from typing import Any

import pandera.polars as pa
import polars as pl
import pytest

from bdp_assets.contracts import columns, frames
from bdp_assets.contracts.frames import failures
from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.contracts.transaction import decode_transaction

TEXT = (
    b'{"transaction_id": "t-%d", "customer_id": "c", "amount": 1.50, "timestamp": "2024-01-15T10:30:00Z", '
    b'"latitude": 1.5}'
)
CANARY = "zq7canary"


def validated(rows: int = 3) -> pl.DataFrame:
    records = [decode_transaction(TEXT % row, received_ms=1_705_314_600_000) for row in range(rows)]
    return columns.to_frame(records, ValidatedTransaction, "ts_ms")


def faults(frame: pl.DataFrame, model: pa.DataFrameSchema = frames.ValidatedFrame) -> list[tuple[Any, ...]]:
    return failures(model, frame).rows()


def test_what_the_decoder_makes_is_what_the_lake_takes() -> None:
    found = failures(frames.ValidatedFrame, validated())
    assert found.is_empty()
    assert found.schema == frames.FAILURES


@pytest.mark.parametrize(
    ("model", "schema"),
    [
        (frames.ValidatedFrame, columns.VALIDATED),
        (frames.QuarantinedFrame, columns.QUARANTINED),
        (frames.PredictionFrame, columns.PREDICTIONS),
        (frames.LabelFrame, columns.LABELS),
        (frames.enriched_frame(["a"]), columns.enriched(["a"])),
        (frames.features_frame(["a"]), columns.features(["a"])),
    ],
)
def test_models_have_the_columns_of_their_tables(model: pa.DataFrameSchema, schema: pl.Schema) -> None:
    assert faults(schema.to_frame(), model) == []
    assert {name: column.dtype.type for name, column in model.columns.items()} == dict(schema)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount_minor": pl.lit(-1, pl.Int64)}, ("in_range(0, inf)", "amount_minor", 3, 0)),
        ({"latitude": pl.lit(90.5)}, ("in_range(-90, 90)", "latitude", 3, 0)),
        ({"door": pl.lit("window")}, ("isin(['history', 'stream'])", "door", 3, 0)),
        ({"body_hash": pl.lit("short")}, ("str_length(32, 32)", "body_hash", 3, 0)),
        ({"customer_id": pl.lit(None, pl.String)}, ("not_nullable", "customer_id", 3, 0)),
        ({"amount_minor": pl.lit(-1, pl.Int32)}, ("dtype('Int64')", "amount_minor", 1, None)),
        ({"latitude": pl.lit("1.5")}, ("dtype('Float64')", "latitude", 1, None)),
        ({"extra": pl.lit(1)}, ("column_in_schema", "extra", 1, None)),
        ({"event_date": pl.date(2024, 1, 16)}, ("event_date is the UTC day of ts_ms", None, 3, 0)),
    ],
)
def test_a_fault_is_one_row_of_the_table(change: dict[str, pl.Expr], expected: tuple[Any, ...]) -> None:
    assert faults(validated().with_columns(**change)) == [expected]


def test_a_missing_column_is_named() -> None:
    assert ("column_in_dataframe", "ip", 1, None) in faults(validated().drop("ip"))


def test_the_example_is_the_first_row_at_fault() -> None:
    frame = validated().with_columns(amount_minor=pl.Series([1, -1, -1]))
    assert faults(frame) == [("in_range(0, inf)", "amount_minor", 2, 1)]


def test_transactions_are_decided_once_and_features_are_finite() -> None:
    row = {"transaction_id": "t", "customer_id": "c", "ts_ms": 1, "catalog_version": "v"}
    rows = [{**row, "a": value} for value in (1.0, float("nan"), float("inf"))]
    frame = pl.DataFrame(rows).with_columns(columns.event_date("ts_ms"))
    assert faults(frame.select(columns.features(["a"]).names()), frames.features_frame(["a"])) == [
        ("multiple_fields_uniqueness", None, 3, 0),
        ("not_nullable", "a", 1, 1),
        ("finite", "a", 2, 1),
    ]


@pytest.mark.parametrize("model", [frames.PredictionFrame, frames.enriched_frame([])])
def test_a_claim_is_served_once_and_its_id_may_come_again(model: pa.DataFrameSchema) -> None:
    ids = {"transaction_id": ["t", "t", "t"], "customer_id": ["c", "c", "c"]}
    times = {"apply_seq": [1, 7, 7], "ts_ms": [1, 2, 2]}
    frame = pl.DataFrame(ids | times).with_columns(columns.event_date("ts_ms"))
    assert ("multiple_fields_uniqueness", None, 2, 1) in faults(frame, model)
    assert "multiple_fields_uniqueness" not in {name for name, *_ in faults(frame.head(2), model)}


def test_failures_hold_no_values() -> None:
    wrong = validated().with_columns(
        [pl.lit(CANARY).alias(name) for name in columns.VALIDATED if name != columns.EVENT_DATE]
    )
    found = [
        *faults(wrong),
        *faults(frames.wire_frame([{"ip": CANARY, "amount": CANARY}]), frames.RawTransactionFrame),
    ]
    assert len(found) > 5
    assert CANARY not in repr(found)


def test_wire_columns_have_the_type_that_their_values_have() -> None:
    frame = frames.wire_frame(
        [{"amount": 1, "ip": "::1", "x": [1]}, {"amount": 10**400, "ip": 5, "country": None}]
    )
    assert frame.schema == {"amount": pl.Float64, "ip": pl.Object, "x": pl.Object, "country": pl.String}
    assert frame["amount"].to_list() == [1.0, float("inf")]
