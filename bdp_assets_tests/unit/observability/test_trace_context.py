from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bdp_assets.contracts.headers import may_go_on
from bdp_assets.contracts.pan import may_hold_pan
from bdp_assets.observability import trace_context

FLAGS = st.integers(0, 255)
IDS = st.tuples(st.integers(1, 2**128 - 1), st.integers(1, 2**64 - 1))


@given(IDS, FLAGS)
def test_what_is_well_formed_is_read_as_it_was_written(ids: tuple[int, int], flags: int) -> None:
    text = f"00-{ids[0]:032x}-{ids[1]:016x}-{flags:02x}"
    assert trace_context.ids(text) == ids
    assert trace_context.is_sampled(text) == bool(flags & 1)


@pytest.mark.parametrize("sampled", [True, False])
def test_a_new_one_is_of_its_own_and_goes_on_elsewhere(sampled: bool) -> None:
    made = {trace_context.new(sampled=sampled) for _ in range(100)}
    assert len(made) == 100
    assert all(may_go_on(one) for one in made)
    assert {trace_context.is_sampled(one) for one in made} == {sampled}


@given(st.text("0123456789", min_size=48, max_size=48), st.booleans())
@example("4111111111111111" * 3, False)
def test_no_ids_made_here_look_like_a_card_number(digits: str, sampled: bool) -> None:
    made = trace_context.begun(int(digits, 16), sampled=sampled)
    assert may_go_on(made)
    assert not may_hold_pan(made.encode())


@pytest.mark.parametrize(("share", "drawn"), [(0.0, {False}), (1.0, {True}), (0.5, {True, False})])
def test_a_share_is_drawn(share: float, drawn: set[bool]) -> None:
    assert {trace_context.draw(share) for _ in range(200)} == drawn
