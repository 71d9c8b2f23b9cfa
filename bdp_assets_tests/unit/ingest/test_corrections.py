"""What was released of quarantined rows, whoever did what how often."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import RAW
from bdp_assets.ingest import corrections, files
from bdp_assets.ingest.corrections import IDENTITY, Action
from bdp_assets.ingest.tables import CORRECTIONS
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY

DAY_MS = 86_400_000
DAY = date(2026, 1, 1)
ACT = st.fixed_dictionaries(
    {
        "action": st.sampled_from([action.value for action in Action]),
        "acted_ms": st.integers(0, 5),
        "act_id": st.text("ab", min_size=1, max_size=2),
        "value_base64": st.sampled_from("xy"),
        "copy": st.integers(0, 1),
        "value": st.text("123", min_size=1, max_size=3),
    }
)


def acts(*made: dict[str, Any]) -> pl.DataFrame:
    plain = {"event_date": DAY, "copy": 0, "ts_ms": NOW_MS, "act_id": "a", "acted_ms": 0}
    return pl.DataFrame([{**plain, **one} for one in made], CORRECTIONS)


@settings(max_examples=cases(500))
@given(made=st.lists(ACT, max_size=12, unique_by=lambda act: (act["acted_ms"], act["act_id"])))
def test_of_each_row_the_first_release_stands_or_else_the_last_fix(made: list[dict[str, Any]]) -> None:
    expected = {}
    for act in sorted(made, key=lambda act: (act["acted_ms"], act["act_id"])):
        row = (DAY, act["value_base64"], act["copy"])
        if expected.get(row, {}).get("action") != Action.RELEASED:
            expected[row] = act
    found = corrections.standing(acts(*made))
    assert {tuple(row[name] for name in IDENTITY): row["value"] for row in found.to_dicts()} == {
        row: act["value"] for row, act in expected.items()
    }
    assert len(found) == len(expected)


def test_a_released_row_is_a_raw_row_of_the_day_that_it_was_corrected_to(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    released = {"action": "released", "value_base64": "e30="}
    lake.append("corrections", acts({**released, "value": "{1}", "ts_ms": NOW_MS + DAY_MS}))
    lake.append("corrections", acts({**released, "value": "{2}", "acted_ms": 1}))
    lake.append("corrections", acts({"action": "fixed", "value_base64": "e31=", "value": "{3}"}))
    assert corrections.raw_rows(lake, DAY, DAY).is_empty()
    (row,) = corrections.raw_rows(lake, DAY, date(2026, 1, 2)).to_dicts()
    assert (row["value"], row["received_ms"], row["event_date"]) == (
        "{1}",
        NOW_MS + DAY_MS,
        date(2026, 1, 2),
    )
    assert (row["door"], row["topic"]) == ("history", corrections.CORRECTED)


def test_without_a_file_the_days_have_a_released_row_once(tmp_path: Path) -> None:
    lake = Lake(str(tmp_path))
    of_a_file = {"received_ms": NOW_MS, "value": "{}", "door": "history", "event_date": DAY}
    lake.append("raw", pl.DataFrame([of_a_file], RAW))
    lake.append("corrections", acts({"action": "released", "value_base64": "e30=", "value": "{1}"}))
    for _ in range(2):
        rows = files.raw_rows(None, lake, DAY, DAY, pan_key=PAN_KEY)
        assert rows["value"].to_list() == ["{}", "{1}"]
        lake.replace("raw", rows, "door = 'history'")


def test_equal_rows_of_a_day_are_told_apart_by_number_and_by_nothing_else() -> None:
    rows = pl.DataFrame(
        {"event_date": [DAY] * 4, "value_base64": ["x", "y", "x", "x"], "source_offset": [9, 3, 4, 5]}
    )
    numbered = corrections.numbered(rows)
    assert list(zip(numbered["value_base64"], numbered["copy"], strict=True)) == [
        ("y", 0),
        ("x", 0),
        ("x", 1),
        ("x", 2),
    ]
