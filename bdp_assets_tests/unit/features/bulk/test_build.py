"""A build out of core is the build in memory, bit for bit, however small its buckets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest import mock

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.features.aggregates import AGGREGATES
from bdp_assets.features.batch import build_features
from bdp_assets.features.bulk import cuts
from bdp_assets.features.bulk.arrival import KEPT, Input
from bdp_assets.features.bulk.build import History, How, build_file
from bdp_assets.features.spec import Catalog, WindowFeature
from bdp_assets.features.times import ALL_HISTORY, DAY, HOUR, MINUTE
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.bounds import bounded
from bdp_assets_tests.unit.features.bulk.streams import busy_stream, every_window
from bdp_assets_tests.unit.features.frames import bits, label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import (
    catalogs,
    labels,
    streams,
    window_features,
)

KEYS = ("transaction_id", "customer_id", "ts_ms")


@settings(max_examples=cases(150), deadline=None)
@given(st.data(), st.integers(1, 12), st.sampled_from((1, 1_000, cuts.GRAIN)))
def test_any_catalog_and_stream_equal_the_build_in_memory(
    data: st.DataObject, rows_per_bucket: int, grain: int
) -> None:
    catalog, transactions = data.draw(catalogs()), data.draw(streams())
    known = data.draw(labels(transactions))
    frame, label_rows = transaction_frame(transactions), label_frame(known)
    with mock.patch.object(cuts, "GRAIN", grain), bounded(data.draw(st.sampled_from((0, 1, 3, 2_000)))):
        expected = build_features(frame, label_rows, catalog)
        assert_same(built(frame, label_rows, catalog, rows_per_bucket), expected, catalog)


@st.composite
def short_sighted(draw: st.DrawFn) -> Catalog:
    """Windows over all history or of a day at most, so that slices have little to look back on."""
    features = [draw(window_features(f"f{i}", online=False)) for i in range(draw(st.integers(1, 6)))]
    return Catalog(tuple(_shortened(feature, draw(st.booleans())) for feature in features))


def _shortened(feature: WindowFeature, endless: bool) -> WindowFeature:
    labels_timed = feature.filter is not None and feature.aggregate.startswith("seconds_since")
    delay = min(feature.delay, HOUR)
    if endless and AGGREGATES[feature.aggregate].all_history and not labels_timed:
        return replace(feature, window=ALL_HISTORY, delay=delay)
    return replace(feature, window=min(feature.window, DAY), delay=delay)


@settings(max_examples=cases(100), deadline=None)
@given(st.data(), st.integers(1, 5))
def test_what_slices_carry_over_is_all_of_history(data: st.DataObject, rows_per_bucket: int) -> None:
    catalog, transactions = data.draw(short_sighted()), data.draw(streams(customers=("c0", "c1")))
    frame, label_rows = transaction_frame(transactions), label_frame(data.draw(labels(transactions)))
    with mock.patch.object(cuts, "GRAIN", 1), bounded(data.draw(st.sampled_from((0, 1, 3, 2_000)))):
        expected = build_features(frame, label_rows, catalog)
        assert_same(built(frame, label_rows, catalog, rows_per_bucket), expected, catalog)


@pytest.mark.parametrize("exact_events", [7, 2_000])
def test_a_busy_stream_is_the_same_in_slices(exact_events: int) -> None:
    frame = busy_stream(600, 10 * MINUTE)
    with bounded(exact_events):
        expected = build_features(frame, None, every_window())
        assert_same(built(frame, None, every_window(), 50), expected, every_window())


def assert_same(ours: pl.DataFrame, expected: pl.DataFrame, catalog: Catalog) -> None:
    assert ours.columns == expected.columns
    assert ours.select(KEYS).equals(expected.select(KEYS))
    assert bits(ours.select(catalog.names).rows()) == bits(expected.select(catalog.names).rows())


def built(
    frame: pl.DataFrame, label_rows: pl.DataFrame | None, catalog: Catalog, rows_per_bucket: int
) -> pl.DataFrame:
    with TemporaryDirectory() as folder:
        output = Path(folder) / "features.parquet"
        history = history_of(frame, label_rows)
        assert build_file(history, output, catalog, How(rows_per_bucket)).rows == len(frame)
        assert [path.name for path in Path(folder).iterdir()] == ["features.parquet"]
        return pl.read_parquet(output)


def history_of(frame: pl.DataFrame, label_rows: pl.DataFrame | None) -> History:
    kept = frame.lazy().with_columns(pl.col(KEYS).name.prefix(KEPT))
    return History(
        Input("transactions", kept), None if label_rows is None else Input("labels", label_rows.lazy())
    )
