"""What was served is compared with what the lake says: equal, late with a proof, or unexplained."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest
from hypothesis import given, settings

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.times import DAY, HOUR
from bdp_assets.monitoring.skew import skew
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.frames import label_frame, transaction_frame
from bdp_assets_tests.unit.features.naive_store import NaiveStore
from bdp_assets_tests.unit.features.strategies import START, streams, transaction


def served(
    stream: list[ValidatedTransaction], labels: Sequence[Label] = (), labels_after: int = 0
) -> pl.DataFrame:
    """What the store answered, one by one; it hears of the labels after so many transactions."""
    store, rows = NaiveStore(CATALOG), []
    for offset, one in enumerate(stream):
        if offset == labels_after:
            for label in labels:
                store.apply_label(label)
        answer = store.enrich(one, f"topic:0:{offset}")
        store.apply_shared(one, f"topic:0:{offset}")
        rows.append([answer.apply_seq, *(answer.features or [])])
    schema = {"apply_seq": pl.Int64, **dict.fromkeys(CATALOG.names, pl.Float64)}
    return transaction_frame(stream).hstack(pl.DataFrame(rows, schema, orient="row"))


def compared(rows: pl.DataFrame, labels: Sequence[Label] = ()) -> dict[str, int]:
    found = skew(CATALOG, rows, rows.select(*CATALOG.columns, "apply_seq"), label_frame(labels))
    return {name: found.total(name) for name in ("compared", "equal", "late", "unexplained")}


def in_order(count: int) -> list[ValidatedTransaction]:
    return [transaction(i, START + i * HOUR, 100 + i, merchant=f"m{i % 3}") for i in range(count)]


def test_in_order_everything_is_equal() -> None:
    found = compared(served(in_order(30)))
    assert found == {
        "compared": 30 * len(CATALOG.names),
        "equal": found["compared"],
        "late": 0,
        "unexplained": 0,
    }


def test_what_came_late_is_late_with_a_proof() -> None:
    stream = in_order(30)
    stream.append(stream.pop(10))
    found = compared(served(stream))
    assert found["late"] > 0
    assert found["unexplained"] == 0


def test_a_label_that_the_store_heard_of_late_is_late() -> None:
    fraud = transaction(0, START)
    stream = [fraud, *(transaction(i, START + (7 + i) * DAY, customer=f"c{i}") for i in (1, 2, 3))]
    known = [
        Label(
            transaction_id="t0",
            customer_id="c0",
            is_fraud=True,
            known_at_ms=START + 7 * DAY,
            merchant_id="m0",
            ts_ms=START,
        )
    ]
    on_time = compared(served(stream, known, labels_after=1), known)
    assert (on_time["late"], on_time["unexplained"]) == (0, 0)
    late = compared(served(stream, known, labels_after=3), known)
    assert late["late"] > 0
    assert late["unexplained"] == 0


@pytest.mark.parametrize("feature", ["customer_count_1d", "merchant_count_30d", "amount_to_usual"])
def test_a_wrong_value_is_unexplained(feature: str) -> None:
    rows = served(in_order(30)).with_columns(
        pl.when(pl.col("transaction_id") == "t7")
        .then(pl.col(feature) + 1)
        .otherwise(pl.col(feature))
        .alias(feature)
    )
    found = skew(CATALOG, rows, rows.select(*CATALOG.columns, "apply_seq"), label_frame([]))
    wrong = found.features.filter(pl.col("unexplained") > 0)
    assert wrong.select("feature", "late", "unexplained").rows() == [(feature, 0, 1)]


@settings(max_examples=cases(20), deadline=None)
@given(streams(most=15))
def test_whatever_order_they_came_in_customers_are_explained(stream: list[ValidatedTransaction]) -> None:
    once = list({(one.customer_id, one.transaction_id): one for one in reversed(stream)}.values())[::-1]
    rows = served(once)
    found = skew(CATALOG, rows, rows.select(*CATALOG.columns, "apply_seq"), label_frame([])).features
    of_merchants = pl.col("feature").str.starts_with("merchant_")
    assert found.filter(~of_merchants)["unexplained"].sum() == 0
