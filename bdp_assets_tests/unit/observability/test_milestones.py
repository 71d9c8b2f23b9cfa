from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.observability.milestones import Milestone, phases

NUMBERS = st.integers(min_value=0, max_value=10**12)


@given(doing=st.from_regex(r"[a-z'() ]*[a-z']", fullmatch=True), done=NUMBERS, total=NUMBERS)
def test_what_is_told_is_read_back(doing: str, done: int, total: int) -> None:
    told = Milestone(doing, done, total, "rows")
    assert Milestone.read(str(told)) == told


@pytest.mark.parametrize("line", ["", "check the contract", "check (3 rows)", "half (1 of 2 rows) done"])
def test_any_other_line_is_no_milestone(line: str) -> None:
    assert Milestone.read(line) is None


def test_phases_are_counted_by_what_is_behind() -> None:
    lines: list[str] = []
    begin = phases(("read", "fit", "test"), lines.append)
    begin("read")
    begin("test")
    assert lines == ["read (0 of 3 phases)", "test (2 of 3 phases)"]
