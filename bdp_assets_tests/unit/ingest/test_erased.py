"""Who was erased stays out, whichever way a message names him; who is only like him does not."""

from __future__ import annotations

from base64 import b64encode
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.erasure import Tombstones, customer_hash, names
from bdp_assets.contracts.wire import FORMS
from bdp_assets.ingest.erased import TABLE, about, admission, bury, may_name, tombstones
from bdp_assets.pan_key import PanKeyMissing
from bdp_assets.settings import Settings
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body

ids = st.from_regex(FORMS["customer_id"].pattern, fullmatch=True).filter(lambda one: one[-1] not in "._:-")


def is_c1(customer_id: str, _ts_ms: int | None) -> bool:
    return customer_id == "c-1"


@given(customer=ids, other=ids)
@example(customer="c:1", other="c:1:2")
@settings(max_examples=cases(300))
def test_a_message_is_about_the_customer_that_it_names_however_it_is_spelled(
    customer: str, other: str
) -> None:
    escaped = "".join(f"\\u{ord(letter):04x}" for letter in customer)
    for value in (
        body(customer_id=customer),
        f'{{"customer_id": "{escaped}"}}'.encode(),
        f"{{customer_id:{customer}, amount".encode(),
        f"\xff '{customer}'.".encode("latin-1"),
    ):
        assert names(value, lambda one, _: one == customer)
        assert other == customer or not names(body(customer_id=other), lambda one, _: one == customer)


@pytest.mark.parametrize(
    "value", [None, b"", b"[]", b"c-10 xc-1", body(customer_id="c-10", device_id="c-1"), b"[" * 100_000]
)
def test_who_is_only_like_him_or_is_mentioned_by_another_is_somebody_else(value: bytes | None) -> None:
    assert not names(value, is_c1)


def test_no_row_about_him_is_unlikely() -> None:
    """`may_name` finds all that `about` says, in values, in base64, and in a column."""
    values = [body("t", "c-1").decode(), '{"customer_id": "c\\u002d1"}', body("t", "c-2").decode(), None]
    raw = pl.DataFrame(
        {"value": [*values, None], "value_base64": [None] * 4 + [b64encode(b"\xff c-1").decode()]},
        {"value": pl.String(), "value_base64": pl.String()},
    )
    column = pl.DataFrame({"customer_id": ["c-1", "c-10", None]})
    for frame, expected in ((raw, [True, True, False, False, True]), (column, [True, False, False])):
        assert about(frame, is_c1).to_list() == expected
        likely = frame.select(may_name(frame.columns, "c-1")).to_series()
        assert about(frame.filter(likely), is_c1).sum() == sum(expected)


def test_the_tombstone_keeps_him_out_and_names_nobody(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    key = SecretStr(PAN_KEY.decode())
    given_key = Settings(_env_file=None, home=tmp_path, pan_hash_key=key)  # type: ignore[call-arg]
    admit = admission(given_key, lake)
    frame = pl.DataFrame({"customer_id": ["c-1", "c-2"], "event_date": [date(2026, 1, 1)] * 2})
    assert admit(frame) is frame
    hashed = customer_hash("c-1", PAN_KEY)
    for until_ms in (NOW_MS, NOW_MS, NOW_MS - 1):
        bury(lake, hashed, until_ms)
    assert tombstones(lake) == {hashed: NOW_MS}
    assert lake.count(TABLE) == 1
    assert admit(frame)["customer_id"].to_list() == ["c-2"], "asked again at each attempt"
    lake.replace("t", frame, "event_date = '2026-01-01'", admit)
    lake.land_range("u", frame, application_id="u", start=0, end=2)
    assert lake.read("t")["customer_id"].to_list() == ["c-2"]
    keyless = Settings(_env_file=None, home=tmp_path, redis_url="redis://else")  # type: ignore[call-arg]
    with pytest.raises(PanKeyMissing):
        admission(keyless, lake)(frame)


def test_what_is_of_before_goes_and_what_is_of_later_stays_by_whichever_table() -> None:
    """Of one customer who was erased, and of another who was not, in every form that has a time or none."""
    stones = Tombstones({customer_hash("c-1", PAN_KEY): NOW_MS}, PAN_KEY)
    later = "2026-01-01T01:00:00.001+01:00"
    values = [body(), body(timestamp=later), body(timestamp="2026-01-01"), body(customer_id="c-2"), b"{c-1"]
    raw = pl.DataFrame({"value": [value.decode() for value in values]})
    ids, times = ["c-1", "c-1", "c-1", "c-2"], [NOW_MS, NOW_MS + 1, None, NOW_MS]
    rows = pl.DataFrame({"customer_id": ids, "ts_ms": times}, {"customer_id": pl.String, "ts_ms": pl.Int64})
    facts = rows.select("customer_id", occurred_at=pl.from_epoch("ts_ms", time_unit="ms"))
    for frame, gone in (
        (raw, [True, False, True, False, True]),
        (rows, [True, False, True, False]),
        (facts, [True, False, True, False]),
        (rows.with_columns(original_transaction_id=pl.lit("t")), [True, True, True, False]),
        (rows.select("customer_id"), [True, True, True, False]),
    ):
        assert about(frame, stones.cover).to_list() == gone
    assert not about(rows, Tombstones({}, PAN_KEY).cover).any()


def test_a_tombstone_without_a_moment_is_of_its_whole_day(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    lake.append(TABLE, pl.DataFrame({"customer_hash": ["old"], "event_date": [date(2025, 12, 31)]}))
    assert tombstones(lake) == {"old": NOW_MS - 1}
    bury(lake, "old", NOW_MS)
    assert tombstones(lake) == {"old": NOW_MS}
