"""Changes of the contract break nobody: compared with the snapshot of what readers and writers rely on.

The snapshot is what was released last: copy `schemas/*.schema.json` there with each release.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.contracts.compatibility import breaks
from bdp_assets.contracts.topics import ENRICHED, PREDICTIONS, RAW, TOPICS, Topic

SNAPSHOTS = Path(__file__).parents[2] / "snapshots" / "schemas"
Change = Callable[[dict[str, Any]], object]


def schema_of(topic: Topic) -> dict[str, Any]:
    return dict(json.loads(topic.schema_path.read_bytes()))


@pytest.mark.parametrize("snapshot", sorted(SNAPSHOTS.glob("*.json")), ids=lambda path: path.name)
def test_no_schema_breaks_those_who_use_it(snapshot: Path) -> None:
    current = {topic.schema: topic for topic in TOPICS.values()}
    assert snapshot.name in current, "a topic's schema is gone: its readers stand before nothing"
    found = breaks(json.loads(snapshot.read_bytes()), schema_of(current[snapshot.name]))
    assert found == [], "make a new version of the topic (-v2) or take the change back"


def test_every_topic_has_a_snapshot() -> None:
    assert {path.name for path in SNAPSHOTS.glob("*.json")} == {topic.schema for topic in TOPICS.values()}


def changed(topic: Topic, change: Change) -> list[str]:
    old = schema_of(topic)
    new = copy.deepcopy(old)
    change(new)
    assert new != old
    return breaks(old, new)


BREAKING: list[tuple[Topic, str, Change]] = [
    (RAW, "ip: the field is gone", lambda s: s["properties"].pop("ip")),
    (RAW, "ip: unknown fields are refused", lambda s: s["properties"].pop("ip")),
    (RAW, "currency: is required", lambda s: s["required"].append("currency")),
    (RAW, "ip: the type is another or narrower", lambda s: s["properties"]["ip"].update(type="string")),
    (
        RAW,
        "amount: the type is another or narrower",
        lambda s: s["properties"]["amount"].update(type="integer"),
    ),
    (RAW, "latitude: maximum is lower", lambda s: s["properties"]["latitude"].update(maximum=89)),
    (RAW, "amount: minimum is higher", lambda s: s["properties"]["amount"].update(minimum=0.01)),
    (RAW, "channel: maxLength is lower", lambda s: s["properties"]["channel"].update(maxLength=16)),
    (RAW, "country: pattern is another", lambda s: s["properties"]["country"].update(pattern="^[A-Z]{3}$")),
    (RAW, "channel: fewer values are known", lambda s: s["properties"]["channel"].update(enum=["pos", None])),
    (ENRICHED, "features: the field is gone", lambda s: s["properties"].pop("features")),
    (
        ENRICHED,
        "features*: the type is another",
        lambda s: s["properties"]["features"].update(additionalProperties={"type": "string"}),
    ),
    (ENRICHED, "value: unknown fields are refused", lambda s: s.update(additionalProperties=False)),
    (PREDICTIONS, "degraded: is required for readers", lambda s: s["required"].remove("degraded")),
    (
        PREDICTIONS,
        "fewer values are known for readers",
        lambda s: s["properties"]["decision"]["enum"].append("hold"),
    ),
    (
        PREDICTIONS,
        "ts_ms: the type is another",
        lambda s: s["properties"]["ts_ms"].update(type=["integer", "string"]),
    ),
    (PREDICTIONS, "reasons[]text: is required", lambda s: s["$defs"]["reason"]["required"].remove("text")),
]
HARMLESS: list[tuple[Topic, Change]] = [
    (RAW, lambda s: s["properties"].update(wallet={"type": ["string", "null"]})),
    (RAW, lambda s: s["properties"]["ip"].pop("pattern")),
    (RAW, lambda s: s["properties"]["channel"].update(maxLength=64)),
    (RAW, lambda s: s["properties"]["amount"].update(description="Other words.")),
    (PREDICTIONS, lambda s: s["properties"].update(shadow={"type": "number"})),
    (PREDICTIONS, lambda s: s["$defs"]["reason"]["properties"].update(weight={"type": "number"})),
]


@pytest.mark.parametrize(("topic", "sentence", "change"), BREAKING, ids=[case[1] for case in BREAKING])
def test_breaking_changes_are_found(topic: Topic, sentence: str, change: Change) -> None:
    assert any(sentence in found for found in changed(topic, change))


@pytest.mark.parametrize(("topic", "change"), HARMLESS)
def test_harmless_changes_pass(topic: Topic, change: Change) -> None:
    assert changed(topic, change) == []


def test_whole_numbers_are_numbers_too() -> None:
    def closed(kind: str) -> dict[str, Any]:
        return {"properties": {"a": {"type": kind}}, "additionalProperties": False}

    assert breaks(closed("integer"), closed("number")) == []
    assert breaks(closed("number"), closed("integer")) != []
