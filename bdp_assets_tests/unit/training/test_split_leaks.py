from __future__ import annotations

from dataclasses import dataclass, field

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.training.split import DAY_MS, KEY, Split, TrainingData, with_labels
from bdp_assets.training.split_leaks import split_leaks
from bdp_assets_tests.unit.training.test_split import features, labels

SPLIT = Split.starting(100 * DAY_MS, train_days=7, delay_days=7, test_days=7)
CUT = SPLIT.test_end_ms + 7 * DAY_MS
WEEK = 7 * DAY_MS
ROWS = features(("early", "a", 100), ("late", "b", 106.9), ("test", "c", 115), ("last", "d", 120.9))
LABELS = labels(("early", "a", True, 107), ("late", "b", True, 114.5), ("test", "c", True, 122))


@dataclass(frozen=True)
class Given(TrainingData):
    """Rows as a faulty split would give them."""

    train: pl.DataFrame = field(default_factory=pl.DataFrame)
    test: pl.DataFrame = field(default_factory=pl.DataFrame)

    def train_rows(self) -> pl.DataFrame:
        return self.train

    def test_rows(self) -> pl.DataFrame:
        return self.test


def judged(train: pl.DataFrame, test: pl.DataFrame, windows: pl.DataFrame | None = None) -> list[str]:
    """`windows`: what the rows were taken from, where some are missing."""
    everything = ROWS.join(pl.concat([train, test]), on=KEY, how="semi") if windows is None else windows
    return split_leaks(Given(everything, LABELS, SPLIT, CUT, train, test), WEEK)


def labelled(*names: str, day: float) -> pl.DataFrame:
    return with_labels(ROWS.filter(pl.col("transaction_id").is_in(names)), LABELS, int(day * DAY_MS))


@given(
    st.lists(
        st.tuples(st.integers(0, 8), st.floats(95, 130), st.booleans(), st.floats(0, 20)),
        min_size=1,
        max_size=60,
    )
)
def test_the_splits_of_the_platform_never_leak(drawn: list[tuple[int, float, bool, float]]) -> None:
    rows = features(*((str(i), f"c{customer}", day) for i, (customer, day, _, _) in enumerate(drawn)))
    known = labels(
        *(
            (str(i), f"c{customer}", fraud, day + later)
            for i, (customer, day, fraud, later) in enumerate(drawn)
        )
    )
    assert split_leaks(TrainingData(rows, known, SPLIT, CUT), WEEK) == []


def test_a_transaction_on_both_sides_is_told() -> None:
    found = judged(labelled("early", "test", day=115), labelled("test", day=CUT / DAY_MS))
    assert found[0] == "1 transactions are in the training and in the test rows"


def test_less_than_the_delay_between_is_told() -> None:
    [found] = judged(labelled("late", day=113), labelled("test", day=130).with_columns(ts_ms=113 * DAY_MS))
    assert found.startswith("1 training rows are not 7 days older than the first test row")


def test_a_training_label_from_after_the_test_began_is_told() -> None:
    test = labelled("last", day=130).with_columns(ts_ms=114 * DAY_MS)
    [found] = judged(labelled("early", "late", day=120), test)
    assert found == "1 training rows have another label than was known when the test begins"


def test_a_customer_whose_fraud_is_known_is_told() -> None:
    again = labelled("last", day=130).with_columns(customer_id=pl.lit("a"))
    [found] = judged(labelled("early", "late", day=114), again)
    assert found.startswith("1 test rows are of customers whose fraud was known")


def test_test_rows_that_were_left_out_are_told() -> None:
    [found] = judged(labelled("early", "late", day=114), labelled("test", day=130), ROWS)
    assert found.startswith("1 rows of the test window are missing from the test")


def test_training_rows_that_were_left_out_are_told() -> None:
    [found] = judged(labelled("late", day=114), labelled("test", "last", day=130), ROWS)
    assert found.startswith("1 rows of the training window are missing from the training")


def test_rows_of_blocked_customers_are_not_missed() -> None:
    blocked = features(("again", "a", 115))
    assert (
        judged(
            labelled("early", "late", day=114), labelled("test", "last", day=130), pl.concat([ROWS, blocked])
        )
        == []
    )


def test_a_side_without_rows_is_for_training_to_refuse() -> None:
    assert judged(ROWS.clear(), ROWS) == []
