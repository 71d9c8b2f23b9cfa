from __future__ import annotations

from datetime import date

import msgspec
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts import columns
from bdp_assets.contracts.records import (
    Adjustment,
    DeadLetter,
    EnrichedTransaction,
    Label,
    Prediction,
    Reason,
    ValidatedTransaction,
)
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.contracts.strategies import typed_records

DAY_MS = 86_400_000
SOON_MS = st.integers(0, 2**42)


@settings(max_examples=cases(50))
@given(st.lists(st.tuples(typed_records(ValidatedTransaction), SOON_MS), max_size=5))
def test_validated_records_survive_their_frame(drawn: list[tuple[ValidatedTransaction, int]]) -> None:
    records = [msgspec.structs.replace(record, ts_ms=ts_ms) for record, ts_ms in drawn]
    frame = columns.to_frame(records, ValidatedTransaction, "ts_ms")
    assert frame.schema == columns.VALIDATED
    assert columns.records_of(frame, ValidatedTransaction) == records


@pytest.mark.parametrize(
    ("record", "schema", "time_ms"),
    [
        (ValidatedTransaction, columns.VALIDATED, "ts_ms"),
        (DeadLetter, columns.QUARANTINED, "received_ms"),
        (Prediction, columns.PREDICTIONS, "ts_ms"),
        (Label, columns.LABELS, "known_at_ms"),
        (Adjustment, columns.ADJUSTMENTS, "ts_ms"),
        (EnrichedTransaction, columns.enriched([]), "ts_ms"),
    ],
)
def test_no_records_make_an_empty_frame_of_the_table(
    record: type[msgspec.Struct], schema: pl.Schema, time_ms: str
) -> None:
    assert columns.to_frame([], record, time_ms).schema == schema


def test_features_become_columns_before_the_event_date() -> None:
    enriched = [_enriched({"b": 1.0, "a": 2.5}), _enriched({"a": 3.0, "b": 0.0})]
    frame = columns.to_frame(enriched, EnrichedTransaction, "ts_ms")
    assert frame.schema == columns.enriched(["b", "a"])
    assert frame.select("b", "a").rows() == [(1.0, 2.5), (0.0, 3.0)]
    assert frame[columns.EVENT_DATE].to_list() == [date(1970, 1, 2)] * 2


def test_a_record_without_one_of_the_features_is_an_error() -> None:
    with pytest.raises(KeyError, match="a"):
        columns.to_frame([_enriched({"a": 1.0}), _enriched({"b": 1.0})], EnrichedTransaction, "ts_ms")


def test_reasons_are_json_text() -> None:
    frame = columns.to_frame([_prediction([Reason("a", "b")])], Prediction, "ts_ms")
    assert frame.schema == columns.PREDICTIONS
    assert frame["reasons"].to_list() == ['[{"code":"a","text":"b"}]']


@settings(max_examples=cases(50))
@given(st.lists(st.tuples(typed_records(Prediction), SOON_MS), max_size=5))
def test_decisions_survive_their_frame_with_features_and_reasons(
    drawn: list[tuple[Prediction, int]],
) -> None:
    records = [msgspec.structs.replace(record, ts_ms=ts_ms) for record, ts_ms in drawn]
    frame = columns.to_frame(records, Prediction, "ts_ms")
    assert frame.schema == columns.PREDICTIONS
    assert columns.records_of(frame, Prediction) == records


def test_a_decision_from_before_its_features_were_kept_has_none() -> None:
    old = columns.to_frame([_prediction([])], Prediction, "ts_ms").drop("features", "rules_version")
    [record] = columns.records_of(old, Prediction)
    assert (record.features, record.rules_version) == ({}, None)


def test_event_dates_are_utc_days() -> None:
    frame = pl.DataFrame({"t": [0, DAY_MS - 1, DAY_MS, -1]}).select(columns.event_date("t"))
    assert frame["event_date"].to_list() == [*[date(1970, 1, 1)] * 2, date(1970, 1, 2), date(1969, 12, 31)]


def _enriched(features: dict[str, float]) -> EnrichedTransaction:
    return EnrichedTransaction(
        transaction_id="t",
        customer_id="c",
        timestamp="1970-01-02T00:00:00Z",
        ts_ms=DAY_MS,
        amount="1",
        currency="USD",
        amount_minor=100,
        amount_base_minor=100,
        rates_version="r",
        body_hash="0" * 32,
        catalog_version="v",
        apply_seq=1,
        features=features,
    )


def _prediction(reasons: list[Reason]) -> Prediction:
    return msgspec.convert(
        {
            **{"transaction_id": "t", "customer_id": "c", "ts_ms": 1, "amount_base_minor": 1, "apply_seq": 1},
            **{"fraud_probability": 0.5, "decision": "review", "features": {}, "degraded": False},
            **dict.fromkeys(["model_name", "model_version", "policy_version", "catalog_version"], "v"),
            **{"reasons": msgspec.to_builtins(reasons), "decided_by": "api", "decided_at_ms": 2},
        },
        Prediction,
    )
