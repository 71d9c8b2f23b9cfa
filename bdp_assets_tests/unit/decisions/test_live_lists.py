"""A process that starts while the online store is away; the integration tests have a store."""

from __future__ import annotations

import logging
from pathlib import Path

import msgspec
import pytest
import redis

from bdp_assets.contracts.records import ListKind, ListName
from bdp_assets.decisions.lists import ListEntry, PublishedLists
from bdp_assets.decisions.live_lists import LiveLists

LISTS = PublishedLists(
    7, [ListEntry(entry_id="0" * 12, list=ListName.BLOCK, kind=ListKind.CUSTOMER, id="private-id")]
)


def started(copy: Path) -> LiveLists:
    live = LiveLists(redis.Redis(unix_socket_path="/nowhere/redis.sock"), copy)
    live.start()
    live.stop()
    return live


def test_the_copy_on_disk_is_in_force_until_the_store_is_back(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "lists.json"
    copy.write_bytes(msgspec.json.encode(LISTS))
    assert started(copy).current().published == LISTS
    assert "the last ones stay in force" in caplog.text
    assert "private-id" not in caplog.text


@pytest.mark.parametrize("content", [None, b"{", b'{"revision":1,"entries":[{"id":"private-id"}]}'])
def test_without_a_copy_that_can_be_read_nobody_is_listed_and_the_log_says_so(
    content: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "lists.json"
    if content is not None:
        copy.write_bytes(content)
    with caplog.at_level(logging.ERROR):
        assert started(copy).current().published.entries == []
    assert "nobody is listed until then" in caplog.text
    assert ("can not be read" in caplog.text) is (content is not None)
    assert "private-id" not in caplog.text
