"""Source columns to canonical JSON: exact amounts, sound text, times in UTC."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.money import CURRENCIES, minor_units
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.ingest import encode
from bdp_assets.ingest.history import raw_rows
from bdp_assets.ingest.mapping import AmountSource, ConstantSource, MappingError, TextSource, TimeSource
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.ingest.source_files import bodies, mapping, source

DAY = date(2024, 1, 15)
NOON = datetime(2024, 1, 15, 12, 0)
one_file = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=cases(30))


def rows_of(folder: Path, mapped: dict[str, Any] | None = None, **columns: list[Any]) -> pl.DataFrame:
    size = max((len(column) for column in columns.values()), default=1)
    base = {
        "id": [f"T{n}" for n in range(size)],
        "customer": ["C1"] * size,
        "amount": [1.0] * size,
        "time": [NOON] * size,
    }
    return raw_rows(source(pl.DataFrame(base | columns), folder, mapped or mapping()), DAY, DAY)


def amounts(values: pl.Series, given_in: AmountSource, currency: str) -> list[str]:
    frame = values.alias("amount").to_frame()
    constant = ConstantSource(constant=currency)
    return frame.select(encode.amount(given_in, constant, frame.schema)).to_series().to_list()


@given(st.lists(st.integers(0, 10**12 - 1), min_size=1), st.sampled_from(sorted(CURRENCIES)))
def test_floats_become_the_decimals_they_were_meant_to_be(minor: list[int], currency: str) -> None:
    exponent = CURRENCIES[currency].exponent
    floats = pl.Series([number / 10**exponent for number in minor])
    texts = amounts(floats, AmountSource(column="amount"), currency)
    assert [minor_units(text, exponent) for text in texts] == minor


@given(st.lists(st.integers(-(10**12), 10**12), min_size=1), st.sampled_from(["USD", "JPY", "BHD"]))
def test_minor_units_become_major_ones(minor: list[int], currency: str) -> None:
    texts = amounts(pl.Series(minor), AmountSource(column="amount", unit="minor"), currency)
    assert [Decimal(text).scaleb(CURRENCIES[currency].exponent) for text in texts] == minor


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (0.1 + 0.2, "0.30"),
        (146.0, "146.00"),
        (0.0, "0.00"),
        (-1.05, "-1.05"),
        (12.345, "12.345"),
        (1e300, "1e+300"),
    ],
)
def test_a_float_is_mended_only_where_the_digits_are_noise(value: float, expected: str) -> None:
    assert amounts(pl.Series([value]), AmountSource(column="amount"), "USD") == [expected]


def test_the_rows_own_currency_says_how_many_decimals(tmp_path: Path) -> None:
    mapped = mapping(currency="currency", amount={"column": "amount", "unit": "minor"})
    rows = rows_of(tmp_path, mapped, amount=[1234, 1234, 1234, 1234], currency=["USD", "JPY", "BHD", None])
    assert [body["amount"] for body in bodies(rows)] == ["12.34", "1234", "1.234", "12.34"]


def test_decimal_text_travels_as_it_is(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, amount=["1.50", "0", "1e2", "007", "1,5", "NaN", None])
    literals = [value.partition('"amount":')[2].partition(",")[0] for value in rows["value"]]
    assert literals == ["1.50", "0", "1e2", '"007"', '"1', '"NaN"', ""]


@pytest.mark.parametrize("bad", [float("nan"), float("inf"), None, 12.345])
def test_what_is_no_amount_is_refused_and_not_mended(tmp_path: Path, bad: float | None) -> None:
    (value,) = rows_of(tmp_path, amount=[bad])["value"]
    with pytest.raises(ContractError) as refused:
        decode_transaction(value.encode(), received_ms=2**42)
    assert refused.value.field == "amount"


def test_half_a_cent_does_not_pass_for_major_units(tmp_path: Path) -> None:
    (value,) = rows_of(tmp_path, mapping(amount={"column": "amount", "unit": "minor"}), amount=[12.5])[
        "value"
    ]
    with pytest.raises(ContractError) as refused:
        decode_transaction(value.encode(), received_ms=2**42)
    assert refused.value.field == "amount"


@one_file
@given(texts=st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1))
def test_any_text_is_sound_json(tmp_path: Path, texts: list[str]) -> None:
    rows = rows_of(tmp_path, mapping(customer_id={"column": "customer", "prefix": "C"}), customer=texts)
    assert [body["customer_id"] for body in bodies(rows)] == ["C" + text for text in texts]


def test_fields_come_in_the_contracts_order_and_absent_ones_are_left_out(tmp_path: Path) -> None:
    mapped = mapping(
        ip="ip", latitude="lat", merchant_id={"column": "shop", "prefix": "M"}, country={"constant": "US"}
    )
    rows = rows_of(tmp_path, mapped, shop=[7, None], lat=[1.5, float("nan")], ip=[None, "10.0.0.1"])
    assert rows["value"].to_list() == [
        '{"transaction_id":"T0","customer_id":"C1","amount":1.00,"timestamp":"2024-01-15T12:00:00.000Z",'
        '"merchant_id":"M7","country":"US","latitude":1.5}',
        '{"transaction_id":"T1","customer_id":"C1","amount":1.00,"timestamp":"2024-01-15T12:00:00.000Z",'
        '"country":"US","ip":"10.0.0.1"}',
    ]


@pytest.mark.parametrize(
    ("values", "how", "expected"),
    [
        ([NOON], {"time_zone": "UTC"}, "2024-01-15T12:00:00.000Z"),
        ([NOON], {"time_zone": "Europe/Paris"}, "2024-01-15T11:00:00.000Z"),
        (
            ["15/01/2024 12:00"],
            {"time_zone": "Asia/Tokyo", "format": "%d/%m/%Y %H:%M"},
            "2024-01-15T03:00:00.000Z",
        ),
        (["15/01/2024 12:00 +0200"], {"format": "%d/%m/%Y %H:%M %z"}, "2024-01-15T10:00:00.000Z"),
        ([1_705_320_000], {"unit": "s"}, "2024-01-15T12:00:00.000Z"),
        ([1_705_320_000_250], {"unit": "ms"}, "2024-01-15T12:00:00.250Z"),
        (["1705320000250000"], {"unit": "us"}, "2024-01-15T12:00:00.250Z"),
        (["2024-01-15T14:00:00+02:00"], {}, "2024-01-15T14:00:00+02:00"),
        ([date(2024, 1, 15)], {"time_zone": "UTC"}, "2024-01-15T00:00:00.000Z"),
    ],
)
def test_times(tmp_path: Path, values: list[Any], how: dict[str, str], expected: str) -> None:
    rows = rows_of(tmp_path, mapping(timestamp={"column": "time", **how}), time=values)
    (body,) = bodies(rows)
    assert body["timestamp"] == expected
    decoded = decode_transaction(rows["value"][0].encode(), received_ms=rows["received_ms"][0])
    assert decoded.ts_ms == rows["received_ms"][0]


def test_clock_changes() -> None:
    new_york = TimeSource(column="time", time_zone="America/New_York")
    skipped, repeated = datetime(2024, 3, 10, 2, 30), datetime(2024, 11, 3, 1, 30)
    frame = pl.DataFrame({"time": [skipped, repeated]})
    moments = frame.select(encode.moment(new_york, frame.schema)).to_series()
    assert moments[0] is None
    assert str(moments[1]) == "2024-11-03 05:30:00+00:00", "the first of the two"


@pytest.mark.parametrize(
    ("column", "how", "says"),
    [
        ([NOON], {}, "time_zone: UTC"),
        (["15/01/2024"], {"format": "%d/%m/%Y"}, "time_zone: UTC"),
        ([1_705_320_000], {}, "unit: ms"),
    ],
)
def test_what_a_time_does_not_say_is_asked_for(column: list[Any], how: dict[str, str], says: str) -> None:
    frame = pl.DataFrame({"time": column})
    with pytest.raises(MappingError, match=says):
        encode.moment(TimeSource(column="time", **how), frame.schema)  # type: ignore[arg-type]


def test_ids_that_were_spoilt_to_decimals_are_an_error() -> None:
    frame = pl.DataFrame({"id": [596.0]})
    with pytest.raises(MappingError, match="id holds decimal numbers"):
        encode.text(TextSource(column="id"), frame.schema)


def test_texts_are_translated_prefixed_and_filled_in_this_order() -> None:
    frame = pl.DataFrame({"land": ["Germany", "FR", None]})
    field = TextSource(column="land", prefix="x", values={"Germany": "DE"}, default="none")
    found = frame.select(encode.text(field, frame.schema)).to_series().to_list()
    assert found == ["xDE", "xFR", "none"]
