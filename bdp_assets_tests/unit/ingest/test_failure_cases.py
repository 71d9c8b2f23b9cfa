"""Refused rows as a table that may be looked at."""

from __future__ import annotations

import polars as pl

from bdp_assets.defs.presentation import refusals
from bdp_assets.ingest.failure_cases import MOST, OF_EACH, WIDTH, failure_cases, reasons
from bdp_assets.ingest.validation import validate
from bdp_assets_tests.fakes.messages import PAN_KEY, body
from bdp_assets_tests.unit.ingest.test_validation import raw

CARD = "4111111111111111"


def refused(*values: bytes | None) -> pl.DataFrame:
    return validate(raw(*values), PAN_KEY).refused


def test_a_few_of_each_reason_are_shown_and_all_are_counted() -> None:
    many = refused(*[body(f"t-{n}", amount=-1) for n in range(OF_EACH + 4)], b"{", body(amount="1"))
    assert reasons(many).select("error", "rows").rows() == [
        ("out_of_range", OF_EACH + 4),
        ("not_json", 1),
        ("wrong_type", 1),
    ]
    cases = failure_cases(many)
    assert cases["error"].to_list() == ["out_of_range"] * OF_EACH + ["not_json", "wrong_type"]
    assert "t-0" in cases["row"][0]
    assert len(failure_cases(pl.concat([many] * MOST))) <= MOST


def test_a_table_in_the_page_holds_no_card_number_and_no_markup_that_works() -> None:
    hostile = f"<img src=x> | `![a](http://x)`\n\x1b[2J {CARD} {'z' * WIDTH}".encode()
    text = str(refusals(refused(hostile, body(device_id=CARD), None))["failure cases"].value)
    assert CARD not in text
    assert "411111" in text
    header, _, *lines = text.splitlines()
    assert header == "| source | offset | error | field | message | row |"
    (line,) = [line for line in lines if "img" in line]
    code = line.split("`")
    assert len(code) == 3, "all of the row is within one pair of backticks"
    assert "<img" in code[1]
    assert "\\|" in code[1]
    assert "\x1b" not in text
    assert len(lines) == 3


def test_nothing_refused_is_an_empty_table() -> None:
    assert list(refusals(refused(body()))) == ["reasons"]
