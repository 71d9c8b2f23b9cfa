"""Whatever the catalog and the stream, the engine's own features are never accused."""

from __future__ import annotations

from functools import partial

from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.features.batch import build_features
from bdp_assets.training.early_labels import COUNTS, History, early_labels
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.frames import label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import catalogs, labels, streams


@settings(max_examples=cases(300), deadline=None)
@given(st.data())
def test_ties_copies_late_labels_and_reversals_are_no_leak(data: st.DataObject) -> None:
    catalog, transactions = data.draw(catalogs()), data.draw(streams())
    history = History(transaction_frame(transactions), label_frame(data.draw(labels(transactions))))
    build = partial(build_features, catalog=catalog)
    found = early_labels(build(*history), history, build=build, catalog=catalog)
    assert found["feature"].to_list() == list(catalog.names)
    assert found.select(COUNTS[1:]).sum().row(0) == (0, 0, 0)
    assert found["compared"][0] <= len(transactions)
