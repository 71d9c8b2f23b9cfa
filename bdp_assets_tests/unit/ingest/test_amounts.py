"""Amounts of whole columns are those that the contract decodes one by one."""

from __future__ import annotations

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.money import CURRENCIES, MAX_AMOUNT_MINOR, minor_units, to_base_minor
from bdp_assets.ingest.amounts import base_minor
from bdp_assets.ingest.mapping import ConstantSource, Text, TextSource

CODES = ("USD", "JPY", "BHD", "EUR", "CLF", "XXX")
amounts = st.one_of(
    st.decimals(0, 10**10, places=2).map(str),
    st.from_regex(r"[0-9]{1,13}(\.[0-9]{1,5})?", fullmatch=True, alphabet="0123456789."),
    st.sampled_from(("-1", "", "abc", "1.500", "0.0000000", "9999999999.99", "10000000000.00")),
)


@settings(deadline=None)
@given(st.lists(st.tuples(amounts, st.sampled_from(CODES)), min_size=1), st.sampled_from([None, *CODES]))
def test_equals_the_contract(rows: list[tuple[str, str]], constant: str | None) -> None:
    frame = pl.DataFrame(rows, {"amount": pl.String, "currency": pl.String}, orient="row")
    source: Text = ConstantSource(constant=constant) if constant else TextSource(column="currency")
    minor = base_minor(pl.col("amount"), source, frame.schema)
    found = frame.with_columns(minor=minor)["minor"].to_list()
    assert found == [expected(amount, constant or code) for amount, code in rows]


def expected(amount: str, code: str) -> int | None:
    if code not in CURRENCIES or not amount or amount[0] not in "0123456789":
        return None
    minor = minor_units(amount, CURRENCIES[code].exponent)
    return None if minor is None or minor > MAX_AMOUNT_MINOR else to_base_minor(minor, code)
