"""Tombstones in a process that starts while the online store is away, as lists are; by hashes alone."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
import redis

from bdp_assets.contracts.erasure import customer_hash
from bdp_assets.decisions.tombstones import LiveTombstones, PublishedTombstones
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY


def started(copy: Path, key: bytes) -> LiveTombstones:
    live = LiveTombstones(redis.Redis(unix_socket_path="/nowhere/redis.sock"), copy, key)
    live.start()
    live.stop()
    return live


def test_the_copy_on_disk_is_in_force_and_names_nobody(tmp_path: Path) -> None:
    copy = tmp_path / "tombstones.json"
    stones = PublishedTombstones(7, {customer_hash("private-id", PAN_KEY): NOW_MS})
    copy.write_bytes(msgspec.json.encode(stones))
    assert b"private-id" not in copy.read_bytes()
    live = started(copy, PAN_KEY)
    assert [live.is_erased("private-id", ms) for ms in (None, NOW_MS, NOW_MS + 1)] == [True, True, False]
    assert not live.is_erased("another-id", NOW_MS)
    assert not started(copy, b"another key").is_erased("private-id", NOW_MS)


@pytest.mark.parametrize("content", [None, b"{", b'{"revision":1,"until_ms":{"private-id":1}}'])
def test_without_a_copy_that_can_be_read_the_log_says_that_nobody_is_refused(
    content: bytes | None, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = tmp_path / "tombstones.json"
    if content is not None:
        copy.write_bytes(content)
    assert not started(copy, PAN_KEY).current()
    assert "nobody is known to be erased until then" in caplog.text
    assert "private-id" not in caplog.text
