"""Specs that make no sense are refused with a sentence; a catalog's version is its meaning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.features.checks import SpecError
from bdp_assets.features.layout import Layout
from bdp_assets.features.spec import CUSTOMER, DEVICE, MERCHANT, Catalog, Entity, RowFeature, WindowFeature
from bdp_assets.features.times import ALL_HISTORY, DAY, HOUR, SECOND, span

WINDOW = WindowFeature(
    name="count_1d", entity=CUSTOMER, aggregate="count", window=DAY, unit="transactions", description="-"
)
AMOUNT = "amount_base_minor"
RISK = {"entity": MERCHANT, "filter": "known_fraud", "delay": DAY}
RUN = {**RISK, "aggregate": "run_count", "hop": DAY}
ROW = RowFeature(name="hour", formula="hour", inputs=("ts_ms",), unit="hour", description="-")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"window": HOUR, "hop": DAY}, "shorter than its hop"),
        ({"window": 36 * HOUR, "hop": DAY}, "whole number of hops"),
        ({"window": 91 * DAY}, "from 1 ms to 90 days"),
        ({"window": 0}, "from 1 ms to 90 days"),
        ({"delay": -1}, "look into the future"),
        ({"aggregate": "median"}, "there is no aggregate 'median'; there are count, sum"),
        ({"aggregate": "mean"}, "mean needs a column"),
        ({"column": "amount_base_minor"}, "count takes no column"),
        (
            {"aggregate": "sum", "column": "amount"},
            "there is no column 'amount'; there are amount_base_minor",
        ),
        (
            {"filter": "lunch"},
            "there is no filter 'lunch'; there are night, weekend, high_value, known_fraud",
        ),
        ({"aggregate": "share"}, "share needs a filter"),
        ({"aggregate": "run_count", "filter": "night"}, "for entities that are kept as tiles"),
        ({"entity": MERCHANT, "aggregate": "run_count", "filter": "night"}, "with a hop"),
        ({"entity": MERCHANT, "aggregate": "run_count", "hop": HOUR}, "run_count needs a filter"),
        ({**RUN, "window": ALL_HISTORY}, "would need all of it"),
        ({**RUN, "include_current": True}, "about the events before"),
        ({"aggregate": "seconds_since_last", "include_current": True}, "about the events before"),
        (
            {"aggregate": "distinct", "column": AMOUNT},
            "there is no column 'amount_base_minor'; there are merchant_id",
        ),
        ({"aggregate": "distinct", "column": "country", "window": ALL_HISTORY}, "would need all of it"),
        ({"entity": MERCHANT, "filter": "known_fraud"}, "known_fraud needs a delay"),
        ({"filter": "known_fraud", "delay": DAY}, "entities that labels name"),
        ({"entity": DEVICE, "filter": "known_fraud", "delay": DAY}, "entities that labels name"),
        ({**RISK, "aggregate": "seconds_since_last"}, "count from its tile: give it a hop"),
        ({**RISK, "aggregate": "seconds_since_last", "hop": DAY, "window": ALL_HISTORY}, "may be taken back"),
        ({**RISK, "aggregate": "sum", "column": AMOUNT}, "labels carry no amount"),
        (
            {"entity": MERCHANT, "filter": "known_fraud", "delay": DAY, "include_current": True},
            "own label is not known",
        ),
        ({"entity": MERCHANT, "aggregate": "last", "column": AMOUNT}, "merchant is kept as tiles"),
        ({"name": "count-1d"}, "letters, digits and _ only"),
        ({"name": "amount"}, "the transaction itself has a field of this name"),
        ({"default": float("nan")}, "finite number"),
    ],
)
def test_a_window_that_makes_no_sense_is_refused(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence) as refused:
        replace(WINDOW, **words)  # type: ignore[arg-type]
    assert str(refused.value).startswith(f"{words.get('name', 'count_1d')}: ")


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"formula": "minute"}, "there is no formula 'minute'; there are major_units"),
        ({"formula": "ratio"}, "ratio takes 2 inputs, not 1"),
        ({"default": float("inf")}, "finite number"),
    ],
)
def test_a_row_feature_that_makes_no_sense_is_refused(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        replace(ROW, **words)  # type: ignore[arg-type]


def test_names_do_not_clash() -> None:
    with pytest.raises(SpecError, match="hour: another feature has this name"):
        Catalog((ROW, ROW))


def test_a_row_feature_reads_what_stands_above_it() -> None:
    late = replace(ROW, name="is_none", formula="is_zero", inputs=("count_1d",))
    Catalog((WINDOW, late))
    with pytest.raises(SpecError, match="no column or feature above it is named count_1d"):
        Catalog((late, WINDOW))


def test_the_version_is_the_meaning() -> None:
    version = Catalog((WINDOW, ROW)).version
    assert len(version) == 12
    assert int(version, 16) >= 0
    assert Catalog((replace(WINDOW, description="Better said", unit="pieces"), ROW)).version == version
    others = [
        Catalog((ROW, WINDOW)),
        Catalog((replace(WINDOW, window=2 * DAY), ROW)),
        Catalog((replace(WINDOW, include_current=True), ROW)),
        Catalog((WINDOW, replace(ROW, default=1.0))),
    ]
    assert len({version, *(other.version for other in others)}) == 5


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        ({"keys": ("merchant_id", "country")}, "kept as tiles has one key"),
        ({"keys": ("card_id",)}, "there is no key 'card_id'; there are merchant_id"),
        ({"state": "events"}, "its first key must be customer_id"),
        ({"state": "events", "keys": ("customer_id", "country", "channel")}, "one key beside customer_id"),
        ({"name": "a b"}, "letters, digits and _ only"),
    ],
)
def test_an_entity_that_makes_no_sense_is_refused(words: dict[str, object], sentence: str) -> None:
    with pytest.raises(SpecError, match=sentence):
        Entity(**{"name": "e", "keys": ("merchant_id",), "state": "tiles", **words})  # type: ignore[arg-type]


def test_the_handbooks_windows_are_for_batch_only() -> None:
    with pytest.raises(SpecError, match="a merchant is kept as tiles: give it a hop"):
        Layout(HANDBOOK, "")


def test_what_all_partitions_write_is_read_late() -> None:
    hasty = replace(WINDOW, entity=MERCHANT, hop=HOUR, delay=SECOND)
    with pytest.raises(SpecError, match="give it a delay of at least 5 s"):
        Layout(Catalog((hasty,)), "")


def test_every_feature_of_ours_says_what_it_is() -> None:
    rows = CATALOG.describe()
    assert [row["name"] for row in rows] == list(CATALOG.names)
    assert all(row["definition"] and row["unit"] and row["description"] for row in rows)
    assert len({row["definition"] for row in rows}) == len(rows)


def test_a_definition_reads_aloud() -> None:
    risk = replace(WINDOW, entity=MERCHANT, aggregate="share", filter="known_fraud", delay=7 * DAY, hop=DAY)
    assert risk.definition == "share() of merchant over 1d, where known_fraud, delay 7d, hop 1d"
    assert [span(ms) for ms in (1, 5_000, 60_000, 36 * HOUR, 90 * DAY)] == ["1ms", "5s", "1min", "36h", "90d"]
