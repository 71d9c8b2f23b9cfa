"""The commands as an operator types them, and what the topics say of them."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from click.testing import Result

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.headers import REPLAY_OF
from bdp_assets.contracts.topics import RAW, Topic
from bdp_assets_tests.integration.stream import Stream


def bdp(stream: Stream, *arguments: str, **environment: str) -> Result:
    return stream.bdp("dlq", *arguments, **environment)


def listed(stream: Stream, *arguments: str) -> list[dict[str, Any]]:
    done = bdp(stream, "list", "--json", "-n", "1000", *arguments)
    assert done.exit_code == 0, done.stderr
    rows: list[dict[str, Any]] = json.loads(done.stdout)
    return rows


def statuses(stream: Stream) -> dict[str, str]:
    """Place -> status."""
    return {row["place"]: row["status"] for row in listed(stream)}


def replay(stream: Stream, *arguments: str) -> dict[str, Any]:
    done = bdp(stream, "replay", "--json", *arguments)
    assert done.exit_code in (0, 1), done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    assert done.exit_code == (1 if told["kept"] else 0)
    return told


def replays(stream: Stream, topic: Topic = RAW) -> Counter[str]:
    """Place of a dead letter -> messages on the topic that are replays of it."""
    return Counter(place for m in stream.records(topic.name) if (place := replay_of(m)))


def replay_of(message: Message) -> str | None:
    sent = message.header(REPLAY_OF)
    return sent.decode().partition(":")[2] if sent else None
