"""Encoded vectors are what the mapping would be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.contracts.codec import encode
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.vectors import encode_vector, named_vector

NAMES = CATALOG.names
FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.lists(FLOATS, min_size=len(NAMES), max_size=len(NAMES)))
def test_it_encodes_as_the_mapping_by_name(vector: list[float]) -> None:
    mapping = encode(dict(zip(NAMES, vector, strict=True)))
    assert encode(encode_vector(vector)) == encode(named_vector(vector)) == mapping
