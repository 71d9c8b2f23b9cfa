"""Poison is found, and nothing else is lost."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets.observability.logging import JsonFormatter
from bdp_assets.streaming.isolation import isolate
from bdp_assets.streaming.items import Dead
from bdp_assets_tests.fakes.messages import raw


def itself(message: Message) -> Message:
    return message


def crashes_on(poison: set[int]) -> object:
    def step(messages: Sequence[Message]) -> tuple[list[int], list[Dead]]:
        if any(message.offset in poison for message in messages):
            raise KeyError("4111111111111111")
        return [message.offset for message in messages], []

    return step


@given(size=st.integers(0, 40), data=st.data())
def test_exactly_the_poison_is_taken_out_and_the_order_stays(size: int, data: st.DataObject) -> None:
    offsets = list(range(size))
    poison = data.draw(st.sets(st.sampled_from(offsets))) if offsets else set()

    kept, dead = isolate("score", crashes_on(poison), [raw(b"{}", o) for o in offsets], itself)  # type: ignore[arg-type]

    assert kept == [offset for offset in offsets if offset not in poison]
    assert [item.message.offset for item in dead] == sorted(poison)
    assert {(item.step, item.error) for item in dead} <= {("score", "step_crashed")}


def test_a_healthy_batch_runs_once() -> None:
    calls: list[int] = []

    def step(messages: Sequence[Message]) -> tuple[list[Message], list[Dead]]:
        calls.append(len(messages))
        return list(messages), []

    isolate("validate", step, [raw(b"{}", offset) for offset in range(100)], itself)

    assert calls == [100]


def test_an_outage_passes_through() -> None:
    def step(messages: Sequence[Message]) -> tuple[list[Message], list[Dead]]:
        raise StoreUnavailable("down")

    with pytest.raises(StoreUnavailable):
        isolate("enrich", step, [raw(b"{}"), raw(b"{}", 1)], itself)


def test_neither_letter_nor_log_quotes_what_broke_the_step(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        _, (dead,) = isolate("score", crashes_on({3}), [raw(b"{}", 3)], itself)  # type: ignore[arg-type]

    (record,) = caplog.records
    line = JsonFormatter("test").format(record)
    assert "4111" not in dead.text + line
    assert "KeyError" in dead.text
    assert json.loads(line)["offset"] == 3
    assert "test_isolation.py" in line, "the log must say where the step failed"
