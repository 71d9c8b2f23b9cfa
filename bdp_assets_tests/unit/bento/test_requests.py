from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bento import requests
from bento.errors import ApiError

JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)


@given(st.lists(JSON_VALUES, max_size=20), st.sampled_from([None, 1, "\t"]))
def test_items_of_a_batch_come_out_as_they_were_written(
    items: list[object], indent: int | str | None
) -> None:
    body = json.dumps(items, indent=indent).encode()
    parts = requests.batch_items(body)
    assert [json.loads(part) for part in parts] == items
    assert all(part in body for part in parts)


@given(st.binary(max_size=60))
def test_any_bytes_are_a_batch_or_an_api_error(body: bytes) -> None:
    try:
        items = requests.batch_items(body)
    except ApiError as refusal:
        assert 400 <= refusal.status < 500
    else:
        assert all(isinstance(item, bytes) for item in items)


@given(st.text(max_size=80) | st.none())
def test_a_request_id_is_always_short_and_plain(sent: str | None) -> None:
    assert requests._REQUEST_ID.fullmatch(requests.request_id(sent))


def test_made_up_ids_differ() -> None:
    assert len({requests.request_id(None) for _ in range(100)}) == 100


def test_a_trace_goes_on_where_it_came_from() -> None:
    sent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    assert requests.traceparent(sent) == sent


@pytest.mark.parametrize(
    "sent",
    [
        *(None, "", "00-xyz", "00-" + "A" * 32 + "-" + "1" * 16 + "-01"),
        "00-aaaaaaaaaaaaaaaa4000056655665556-4000056655665556-00",
    ],
)
def test_a_trace_that_can_not_go_on_is_none(sent: str | None) -> None:
    assert requests.traceparent(sent) is None
