"""By when the topics will have forgotten."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bdp_assets.contracts.topics import ANALYTICS, LABELS, RAW, TOPICS
from bdp_assets.operations.erasure import topics
from bdp_assets.settings import Settings

NEWEST = datetime(2026, 3, 1, 12, tzinfo=UTC)


def test_a_topic_forgets_when_its_newest_message_and_the_segment_after_it_are_too_old(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    newest = {name: int(NEWEST.timestamp() * 1000) for name in (RAW.name, LABELS.name, ANALYTICS.name)}
    monkeypatch.setattr(topics, "newest_times", lambda _settings, _names: newest)
    found = {one.topic: one.ends for one in topics.expiries(Settings(_env_file=None))}  # type: ignore[call-arg]
    assert found.keys() == TOPICS.keys() - {ANALYTICS.name}
    assert found[RAW.name] == NEWEST + timedelta(days=7 + 7)
    assert found[LABELS.name] == NEWEST + timedelta(days=365 + 7)
    assert [ends for topic, ends in found.items() if topic not in newest] == [None] * (len(TOPICS) - 3)
