from __future__ import annotations

import io
from datetime import date, timedelta

import numpy as np
import polars as pl
import pytest

from bdp_assets.features.catalog import CATALOG
from bdp_assets.monitoring.drift.bins import MISSING
from bdp_assets.monitoring.drift.counting import FRAUD, SCORE
from bdp_assets.monitoring.drift.judgement import COLUMNS, Judge
from bdp_assets.monitoring.drift.labels import with_due_labels
from bdp_assets.monitoring.drift.pictures import bounds_png, psi_png
from bdp_assets.monitoring.drift.reference import Reference, ReferenceUnusable, decode, encode, reference_of
from bdp_assets.monitoring.drift.segments import SEGMENTS

START, DAYS, A_DAY = date(2026, 1, 5), 42, 400
DAY_MS = 86_400_000
NIGHT = list(SEGMENTS).index("night")


def rows_of(days: int, start: date = START, seed: int = 0, a_day: int = A_DAY) -> pl.DataFrame:
    rng, number = np.random.default_rng(seed), days * a_day
    columns = {name: rng.normal(50, 20, number) for name in CATALOG.names}
    columns |= {
        name: (rng.random(number) < 0.3).astype(float) for name in ("is_night", "customer_merchant_is_new")
    }
    return pl.DataFrame(
        {
            "event_date": [start + timedelta(days=at // a_day) for at in range(number)],
            **columns,
            SCORE: rng.random(number),
            FRAUD: (rng.random(number) < 0.05).astype(float),
        }
    )


@pytest.fixture(scope="module")
def reference() -> Reference:
    return reference_of(rows_of(DAYS), list(CATALOG.names), CATALOG.version, 7)


def test_counts_are_those_of_the_rows(reference: Reference) -> None:
    rows, day = rows_of(DAYS), START + timedelta(days=3)
    quantity = reference.quantities.index("customer_count_7d")
    counts = reference.counts[3, quantity]
    of_day = rows.filter(event_date=day)
    assert counts.sum(axis=1).tolist() == [of_day.filter(condition).height for condition in SEGMENTS.values()]
    lowest = of_day.filter(
        pl.col("is_night") > 0, pl.col("customer_count_7d") <= reference.edges["customer_count_7d"][0]
    )
    assert counts[NIGHT, 0] == len(lowest)


def test_a_missing_feature_counts_and_a_missing_score_does_not(reference: Reference) -> None:
    day = START
    nothing = rows_of(1).with_columns(pl.lit(None, pl.Float64).alias(name) for name in (SCORE, FRAUD, "hour"))
    counts = reference.count(nothing, day)
    found = {name: counts[reference.quantities.index(name), 0] for name in (SCORE, FRAUD, "hour")}
    assert (found[SCORE].sum(), found[FRAUD].sum()) == (0, 0)
    assert found["hour"][MISSING] == A_DAY


def test_a_file_holds_all_of_it(reference: Reference) -> None:
    again = decode(encode(reference))
    assert (again.counts == reference.counts).all()
    assert {name: ends.tolist() for name, ends in again.edges.items()} == {
        name: ends.tolist() for name, ends in reference.edges.items()
    }
    assert (again.days, again.delay_days, again.catalog_version) == (
        reference.days,
        reference.delay_days,
        reference.catalog_version,
    )
    assert len(encode(reference)) < 600_000


def test_what_can_not_be_compared_with_says_why(
    reference: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    content = encode(reference)
    for damaged in (content[: len(content) // 2], b"", b"no file"):
        with pytest.raises(ReferenceUnusable, match="damaged"):
            decode(damaged)
    empty = io.BytesIO()
    np.savez(empty, counts=np.zeros(1))
    with pytest.raises(ReferenceUnusable, match="damaged"):
        decode(empty.getvalue())
    with pytest.raises(ReferenceUnusable, match="made of 7 days; 14 are needed"):
        Judge.of(reference_of(rows_of(7), list(CATALOG.names), CATALOG.version, 7))
    with pytest.raises(ReferenceUnusable, match="no row has a value of score"):
        unscored = rows_of(20).with_columns(pl.lit(None, pl.Float64).alias(SCORE))
        reference_of(unscored, list(CATALOG.names), CATALOG.version, 7)
    monkeypatch.setattr("bdp_assets.monitoring.drift.reference.SEGMENTS", {"all": pl.lit(value=True)})
    with pytest.raises(ReferenceUnusable, match="other segments"):
        decode(content)


def test_a_day_of_a_tenth_of_the_rows_is_no_drift_and_one_of_few_is_not_judged(reference: Reference) -> None:
    judge, day = Judge.of(reference), START + timedelta(days=DAYS + 9)
    usual = rows_of(1, day, seed=5)
    for part in (usual, usual.head(A_DAY // 2)):
        found = judge.judge(day, reference.count(part, day))
        assert list(found.columns) == list(COLUMNS)
        assert (len(found) > 0, found["drifted"].any()) == (True, False)
    few = judge.judge(day, reference.count(usual.head(50), day))
    assert few.is_empty()
    assert few.schema == pl.Schema(COLUMNS)


def test_frauds_that_double_matter_and_small_shifts_do_not() -> None:
    """A quarter of a standard deviation in steady days: beyond chance, below the bound of size."""
    reference = reference_of(rows_of(DAYS, a_day=2_000), list(CATALOG.names), CATALOG.version, 7)
    judge, day = Judge.of(reference), START + timedelta(days=DAYS + 9)
    many = rows_of(1, day, seed=5, a_day=2_000).with_columns(
        customer_count_7d=pl.col("customer_count_7d") + 5,
        fraud=(pl.int_range(pl.len()) % 4 == 0).cast(pl.Float64),
    )
    found = judge.judge(day, reference.count(many, day)).filter(segment="all")
    shifted = found.row(by_predicate=pl.col("quantity") == "customer_count_7d", named=True)
    assert shifted["adjusted_p"] < 0.01
    assert (shifted["psi"] < 0.1, shifted["drifted"]) == (True, False)
    labels = found.row(by_predicate=pl.col("kind") == "label", named=True)
    assert labels["drifted"]
    assert 4 < labels["fraud_ratio"] < 6
    assert psi_png(found).startswith(b"\x89PNG")
    assert bounds_png(found).startswith(b"\x89PNG")


def test_labels_count_as_they_were_known_after_the_delay() -> None:
    start_ms = 100 * DAY_MS
    rows = pl.DataFrame(
        {
            "customer_id": ["c"] * 4,
            "transaction_id": list("abcd"),
            "ts_ms": [start_ms + 5] * 3 + [start_ms + DAY_MS],
        }
    )
    due = start_ms + 8 * DAY_MS
    labels = pl.DataFrame(
        {
            "customer_id": ["c"] * 4,
            "transaction_id": ["a", "b", "b", "c"],
            "is_fraud": [True, True, False, True],
            "known_at_ms": [due - 1, due - 9, due - 5, due],
        }
    )
    found = with_due_labels(rows, labels, 7, known_to_ms=due)
    assert found[FRAUD].to_list() == [1.0, 0.0, 0.0, None]
