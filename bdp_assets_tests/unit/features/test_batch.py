"""Batch features are those of the as-corrected oracle, bit for bit, and the spec's own examples."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.formulas import COLUMN_LIMIT
from bdp_assets.features.spec import CUSTOMER, MERCHANT, Catalog, WindowFeature
from bdp_assets.features.times import DAY, HOUR
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.frames import batch_vectors, bits, label_frame, transaction_frame
from bdp_assets_tests.unit.features.oracle import as_corrected
from bdp_assets_tests.unit.features.strategies import (
    AMOUNT,
    START,
    amounts,
    catalogs,
    labels,
    streams,
    transaction,
)


@settings(max_examples=cases(1_000), deadline=None)
@given(st.data())
def test_any_catalog_and_stream_equal_the_oracle(data: st.DataObject) -> None:
    catalog, transactions = data.draw(catalogs()), data.draw(streams())
    known = data.draw(labels(transactions))
    expected = bits(as_corrected(transactions, known, catalog))
    assert batch_vectors(transactions, known, catalog) == expected


@settings(max_examples=cases(300), deadline=None)
@given(st.data())
def test_our_catalog_equals_the_oracle(data: st.DataObject) -> None:
    transactions = data.draw(streams())
    known = data.draw(labels(transactions))
    expected = bits(as_corrected(transactions, known, CATALOG))
    assert batch_vectors(transactions, known, CATALOG) == expected
    assert np.isfinite(np.frombuffer(b"".join(expected))).all()


@settings(max_examples=cases(300), deadline=None)
@given(st.data())
def test_a_part_of_the_rows_in_any_order_gets_the_same_values(data: st.DataObject) -> None:
    """But for which of the events of one millisecond is the last: that is the order itself."""
    unordered = Catalog(tuple(f for f in CATALOG.features if getattr(f, "aggregate", None) != "last"))
    frame = transaction_frame(data.draw(streams())).unique(["customer_id", "transaction_id"])
    order = data.draw(st.permutations(range(len(frame))))
    asked = pl.Series([data.draw(st.booleans()) for _ in order], dtype=pl.Boolean)
    whole = build_features(frame, catalog=unordered)[list(order)].filter(asked)
    assert build_features(frame[list(order)], catalog=unordered, only=asked).equals(whole)


@settings(max_examples=cases(200), deadline=None)
@given(st.lists(amounts, min_size=1, max_size=40))
def test_spread_is_exact_however_large_the_amounts(spent: list[int]) -> None:
    spread = window(CUSTOMER, aggregate="std", column=AMOUNT, window=30 * DAY, include_current=True)
    stream = [transaction(i, START + i, amount) for i, amount in enumerate(spent)]
    expected = bits(as_corrected(stream, [], Catalog((spread,))))
    assert batch_vectors(stream, [], Catalog((spread,))) == expected


def test_a_spread_beyond_64_bits_is_no_rounding_error() -> None:
    # Two neighbours at the end of the range: in doubles their squares are equal and the spread would be 0.
    stream = [
        transaction(i, START + i, amount) for i, amount in enumerate([COLUMN_LIMIT - 1, COLUMN_LIMIT - 2])
    ]
    spread = window(CUSTOMER, aggregate="std", column=AMOUNT, window=DAY, include_current=True)
    assert values(stream, spread) == [0.0, 0.5]


def test_events_of_the_same_millisecond_do_not_see_each_other() -> None:
    stream = [transaction(0, START), transaction(1, START), transaction(2, START + 1)]
    assert values(stream, window(CUSTOMER, window=DAY)) == [0, 0, 2]


def test_the_event_exactly_one_window_old_is_out() -> None:
    stream = [transaction(0, START), transaction(1, START + HOUR - 1), transaction(2, START + HOUR)]
    assert values(stream, window(CUSTOMER, window=HOUR)) == [0, 1, 1]


def test_a_delay_includes_its_own_end() -> None:
    stream = [transaction(0, START), transaction(1, START + HOUR - 1), transaction(2, START + HOUR)]
    assert values(stream, window(CUSTOMER, window=DAY, delay=HOUR)) == [0, 0, 1]


def test_a_hop_never_reads_the_tile_in_progress() -> None:
    day = START // DAY * DAY
    stream = [transaction(0, day), transaction(1, day + DAY - 1), transaction(2, day + DAY)]
    assert values(stream, window(MERCHANT, window=DAY, hop=DAY)) == [0, 0, 2]


def test_a_transaction_that_came_twice_is_one_event_the_first() -> None:
    stream = [transaction(0, START, 100), transaction(0, START + 1, 999), transaction(1, START + 2)]
    assert values(stream, window(CUSTOMER, aggregate="sum", column=AMOUNT, window=DAY)) == [0, 100, 100]


def test_without_a_merchant_there_is_the_default() -> None:
    stream = [transaction(0, START, merchant=None), transaction(1, START + DAY, merchant=None)]
    assert values(stream, window(MERCHANT, window=7 * DAY, default=-1.0)) == [-1, -1]


def test_a_default_is_the_value_itself_whatever_the_scale() -> None:
    mean = window(CUSTOMER, aggregate="mean", column=AMOUNT, window=DAY, scale=100, default=0.1)
    assert values([transaction(0, START, 250), transaction(1, START + 1)], mean) == [0.1, 2.5]


@pytest.mark.parametrize(
    ("known_after", "taken_back_after", "frauds"),
    [
        (7, None, [1, 1, 0]),  # On time: counts at its own time, for as long as the event does.
        (1, None, [1, 1, 0]),  # Early: no sooner than the declared delay.
        (9, None, [0, 0, 1]),  # Late: counts two days late.
        (7, 8, [1, 0, -1]),  # Taken back a day later, as an event of its own.
    ],
)
def test_a_label_counts_by_when_it_was_known(
    known_after: int, taken_back_after: int | None, frauds: list[int]
) -> None:
    fraud = transaction(0, START)
    said = [(True, known_after)] + ([] if taken_back_after is None else [(False, taken_back_after)])
    after_days = [transaction(days, START + days * DAY) for days in (7, 8, 9)]
    count = window(MERCHANT, filter="known_fraud", window=2 * DAY, delay=7 * DAY)
    known = [label(fraud, is_fraud, START + days * DAY) for is_fraud, days in said]
    assert values([fraud, *after_days], count, known)[1:] == frauds


def test_a_share_does_not_go_below_zero_when_a_label_is_taken_back() -> None:
    fraud, other = transaction(0, START), transaction(1, START + 5 * DAY)
    stream = [fraud, other, transaction(2, START + 12 * DAY)]
    known = [label(fraud, True, START + 7 * DAY), label(fraud, False, START + 12 * DAY)]
    risk = window(MERCHANT, aggregate="share", filter="known_fraud", window=DAY, delay=7 * DAY)
    assert values(stream, risk, known)[2] == 0


@pytest.mark.parametrize(
    ("frauds", "taken_back", "run"),  # How many, and its first one days ago.
    [
        ((0, 1, 2, 3), (), (4, 11)),
        ((1, 2, 3), (), (3, 10)),  # A good one came before.
        ((0, 1, 3), (), (1, 8)),  # And another since.
        ((0, 1, 2), (), (0, 0)),  # The last one was good: the run is over.
        ((0, 1, 2, 3), (1,), (2, 9)),  # Which a label says that is taken back.
    ],
)
def test_a_run_is_what_matched_since_the_last_that_did_not(
    frauds: tuple[int, ...], taken_back: tuple[int, ...], run: tuple[int, int]
) -> None:
    days = [transaction(day, START + day * DAY) for day in range(4)]
    known = [label(days[day], True, START + (day + 7) * DAY) for day in frauds]
    known += [label(days[day], False, START + (day + 7) * DAY + 1) for day in taken_back]
    asked = transaction(9, START + 11 * DAY)
    for aggregate, wanted in zip(("run_count", "seconds_since_run"), run, strict=True):
        found = window(
            MERCHANT,
            aggregate=aggregate,
            filter="known_fraud",
            window=30 * DAY,
            delay=7 * DAY,
            hop=HOUR,
        )
        value = values([*days, asked], found, known)[4]
        assert value == (wanted if aggregate == "run_count" else wanted * 86_400)


@pytest.mark.parametrize(("stood", "frauds"), [(90 * DAY, -1), (90 * DAY + 1, 0)])
def test_a_fraud_known_for_90_days_can_not_be_taken_back_any_more(stood: int, frauds: int) -> None:
    fraud = transaction(0, START)
    back = START + 7 * DAY + stood
    known = [label(fraud, True, START + 7 * DAY), label(fraud, False, back)]
    count = window(MERCHANT, filter="known_fraud", window=DAY, delay=7 * DAY)
    assert values([fraud, transaction(1, back)], count, known)[1] == frauds


def test_a_fraud_known_before_its_payment_is_known_since_the_payment() -> None:
    fraud = transaction(0, START)
    known = [label(fraud, True, START - 400 * DAY), label(fraud, False, START + DAY)]
    count = window(MERCHANT, filter="known_fraud", window=7 * DAY, delay=DAY)
    asked = transaction(1, START + 2 * DAY)
    assert values([fraud, asked], count, known[:1])[1] == 1
    assert values([fraud, asked], count, known)[1] == 0  # Too early a time would keep it for good.


@pytest.mark.parametrize("amount", [-1, COLUMN_LIMIT])
def test_an_amount_outside_its_range_is_refused_without_showing_it(amount: int) -> None:
    with pytest.raises(ValueError, match="amount_base_minor has a number") as refused:
        build_features(transaction_frame([transaction(0, START, amount)]))
    assert f" {amount};" not in str(refused.value)


def window(entity, aggregate: str = "count", **words) -> WindowFeature:  # type: ignore[no-untyped-def]
    return WindowFeature(name="f", entity=entity, aggregate=aggregate, unit="-", description="-", **words)


def values(
    stream: Sequence[ValidatedTransaction], feature: WindowFeature, known: Sequence[Label] = ()
) -> list[float]:
    return build_features(transaction_frame(stream), label_frame(known), Catalog((feature,)))["f"].to_list()


def label(of: ValidatedTransaction, is_fraud: bool, known_at: int) -> Label:
    return Label(
        transaction_id=of.transaction_id, customer_id=of.customer_id, is_fraud=is_fraud, known_at_ms=known_at
    )
