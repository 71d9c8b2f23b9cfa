from __future__ import annotations

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.training.split import DAY_MS, Split, TrainingData, hold_out, with_labels

SPLIT = Split.starting(100 * DAY_MS, train_days=7, delay_days=7, test_days=7)
CUT = SPLIT.test_end_ms + 7 * DAY_MS


def features(*rows: tuple[str, str, float]) -> pl.DataFrame:
    """(transaction, customer, day) rows."""
    return pl.DataFrame(
        {
            "transaction_id": [row[0] for row in rows],
            "customer_id": [row[1] for row in rows],
            "ts_ms": [int(row[2] * DAY_MS) for row in rows],
        }
    )


def labels(*rows: tuple[str, str, bool, float]) -> pl.DataFrame:
    """(transaction, customer, is_fraud, known on day) rows."""
    return pl.DataFrame(
        {
            "transaction_id": [row[0] for row in rows],
            "customer_id": [row[1] for row in rows],
            "is_fraud": [row[2] for row in rows],
            "known_at_ms": [int(row[3] * DAY_MS) for row in rows],
        },
        schema_overrides={"is_fraud": pl.Boolean, "known_at_ms": pl.Int64},
    )


def test_the_latest_split_has_matured_test_labels() -> None:
    split = Split.before(200 * DAY_MS + 5, train_days=28, delay_days=7, test_days=7)
    days = [
        ms // DAY_MS
        for ms in (split.train_start_ms, split.train_end_ms, split.test_start_ms, split.test_end_ms)
    ]
    assert days == [151, 179, 186, 193]


def test_training_sees_labels_known_when_the_test_begins_and_no_later_ones() -> None:
    rows = features(("early", "a", 100), ("late", "b", 106.9), ("before", "c", 99.9), ("after", "d", 107))
    known = labels(("early", "a", True, 113.99), ("late", "b", True, 114.01))
    data = TrainingData(rows, known, SPLIT, CUT).train_rows()
    assert data.select("transaction_id", "is_fraud").rows() == [("early", True), ("late", False)]


def test_the_latest_known_label_counts() -> None:
    rows = features(("t", "a", 100))
    known = labels(("t", "a", False, 120), ("t", "a", True, 110))
    fraud = [
        with_labels(rows, known, int(day * DAY_MS))["is_fraud"].item() for day in (109.9, 110, 119.9, 120)
    ]
    assert fraud == [False, True, True, False]


def test_a_transaction_is_known_by_customer_and_id() -> None:
    rows = features(("t", "a", 100), ("t", "b", 100))
    assert with_labels(rows, labels(("t", "b", True, 101)), CUT)["is_fraud"].to_list() == [False, True]


def test_customers_known_to_be_defrauded_leave_the_test_from_the_next_midnight() -> None:
    rows = features(
        ("fraud", "a", 105),
        ("same day", "a", 114.6),
        ("next day", "a", 115.1),
        ("old fraud", "b", 99),
        ("kept", "b", 116),
        ("unknown yet", "c", 106),
        ("kept too", "c", 116),
    )
    known = labels(
        ("fraud", "a", True, 114.5), ("old fraud", "b", True, 106), ("unknown yet", "c", True, 116.5)
    )
    test = TrainingData(rows, known, SPLIT, CUT).test_rows()
    assert test["transaction_id"].to_list() == ["same day", "kept", "kept too"]


def test_customers_whose_fraud_was_taken_back_are_in_the_test_again() -> None:
    rows = features(
        ("fraud", "a", 105), ("blocked", "a", 114.5), ("free", "a", 116.5), ("caught", "a", 118.5)
    )
    known = labels(("fraud", "a", True, 113), ("fraud", "a", False, 115.5), ("fraud", "a", True, 117.5))
    test = TrainingData(rows, known, SPLIT, CUT).test_rows()
    assert test["transaction_id"].to_list() == ["free"]
    same_time = labels(("fraud", "a", True, 113), ("fraud", "a", False, 113))
    assert len(TrainingData(rows, same_time, SPLIT, CUT).test_rows()) == 3


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=200), st.floats(0.05, 0.9))
def test_hold_out_parts_by_time(times: list[int], share: float) -> None:
    rows = pl.DataFrame({"ts_ms": times})
    early, held = hold_out(rows, share)
    assert len(early) + len(held) == len(rows)
    assert len(held) >= share * len(rows) - 1
    assert early.is_empty() or early["ts_ms"].max() < held["ts_ms"].min()
