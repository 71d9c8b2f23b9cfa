"""Entities in pieces, whatever their size, are those of the as-corrected oracle, bit for bit."""

from __future__ import annotations

from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.features import table
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.bounds import bounded
from bdp_assets_tests.unit.features.frames import batch_vectors, bits
from bdp_assets_tests.unit.features.oracle import as_corrected
from bdp_assets_tests.unit.features.strategies import catalogs, labels, streams


@settings(max_examples=cases(1_000), deadline=None)
@given(st.data(), st.integers(0, 5), st.sampled_from((1, 4, 1_000)))
def test_folded_events_in_pieces_equal_the_oracle(data: st.DataObject, exact_events: int, piece: int) -> None:
    catalog, transactions = data.draw(catalogs()), data.draw(streams(customers=("c0", "c0", "c0", "c1")))
    known = data.draw(labels(transactions))
    expected = bits(as_corrected(transactions, known, catalog, exact_events))
    with bounded(exact_events), mock.patch.object(table, "_PIECE", piece):
        assert batch_vectors(transactions, known, catalog) == expected
