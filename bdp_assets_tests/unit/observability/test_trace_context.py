from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.observability import trace_context

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
FLAGS = st.integers(0, 255)
IDS = st.tuples(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1))


@given(IDS, FLAGS)
def test_what_is_well_formed_is_read_as_it_was_written(ids: tuple[int, int], flags: int) -> None:
    text = f"00-{ids[0]:032x}-{ids[1]:016x}-{flags:02x}"
    assert trace_context.is_well_formed(text)
    assert trace_context.ids(text) == ids
    assert trace_context.is_sampled(text) == bool(flags & 1)


@pytest.mark.parametrize("sampled", [True, False])
def test_a_new_one_is_well_formed_and_of_its_own(sampled: bool) -> None:
    made = {trace_context.new(sampled=sampled) for _ in range(100)}
    assert len(made) == 100
    assert all(trace_context.is_well_formed(one) for one in made)
    assert {trace_context.is_sampled(one) for one in made} == {sampled}


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"00-{TRACE}-{SPAN}",
        f"00-{TRACE}-{SPAN}-01\n",
        f"00-{TRACE.upper()}-{SPAN}-01",
        f"00-{'0' * 32}-{SPAN}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[:-1]}٣-{SPAN}-01",
    ],
)
def test_what_is_not_by_the_standard_is_refused(text: str) -> None:
    assert not trace_context.is_well_formed(text)


@pytest.mark.parametrize(("share", "drawn"), [(0.0, {False}), (1.0, {True}), (0.5, {True, False})])
def test_a_share_is_drawn(share: float, drawn: set[bool]) -> None:
    assert {trace_context.draw(share) for _ in range(200)} == drawn
