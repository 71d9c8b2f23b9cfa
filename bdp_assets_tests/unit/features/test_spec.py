"""Specs that make no sense are refused with a sentence; a catalog's version is its meaning."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.features.checks import SpecError
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.spec import CUSTOMER, DAY, HOUR, MERCHANT, Catalog, RowFeature, WindowFeature, span

WINDOW = WindowFeature(
    name="count_1d", entity=CUSTOMER, aggregate="count", window=DAY, unit="transactions", description="-"
)
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
        ({"filter": "weekend"}, "there is no filter 'weekend'; there are night, known_fraud"),
        ({"aggregate": "share"}, "share needs a filter"),
        ({"aggregate": "seconds_since_last", "filter": "night"}, "takes no filter"),
        ({"aggregate": "seconds_since_last", "include_current": True}, "always 0"),
        ({"entity": MERCHANT, "filter": "known_fraud"}, "known_fraud needs a delay"),
        ({"filter": "known_fraud", "delay": DAY}, "tiled entities only"),
        (
            {"entity": MERCHANT, "filter": "known_fraud", "delay": DAY, "include_current": True},
            "own label is not known",
        ),
        ({"entity": MERCHANT, "aggregate": "seconds_since_last"}, "merchant is kept as tiles"),
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


def test_the_handbooks_windows_are_for_batch_only() -> None:
    with pytest.raises(SpecError, match="all windows of a merchant need one and the same hop"):
        Layout(Engine(HANDBOOK))


def test_every_feature_of_ours_says_what_it_is() -> None:
    rows = CATALOG.describe()
    assert [row["name"] for row in rows] == list(CATALOG.names)
    assert all(row["definition"] and row["unit"] and row["description"] for row in rows)
    assert len({row["definition"] for row in rows}) == len(rows)


def test_a_definition_reads_aloud() -> None:
    risk = replace(WINDOW, entity=MERCHANT, aggregate="share", filter="known_fraud", delay=7 * DAY, hop=DAY)
    assert risk.definition == "share() of merchant over 1d, where known_fraud, delay 7d, hop 1d"
    assert [span(ms) for ms in (1, 5_000, 60_000, 36 * HOUR, 90 * DAY)] == ["1ms", "5s", "1min", "36h", "90d"]
