"""The Kafka topics, as `schemas/topics.yaml` declares them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

import msgspec

from bdp_assets.project import FILES

SCHEMAS = FILES / "schemas"
DAY_MS = 86_400_000


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One topic. `key` is the field of the value that becomes the message key."""

    name: str
    key: str
    partitions: int
    retention_days: int
    max_message_bytes: int
    schema: str
    description: str

    @property
    def retention_ms(self) -> int:
        return self.retention_days * DAY_MS

    @property
    def schema_path(self) -> Path:
        return SCHEMAS / self.schema

    @property
    def schema_version(self) -> int:
        """The number at the end of the topic's name; a change that breaks readers is a new topic."""
        return int(self.name.rpartition("-v")[2])


class _Topics(msgspec.Struct, forbid_unknown_fields=True):
    topics: list[Topic]


def load_topics(path: Path = SCHEMAS / "topics.yaml") -> Mapping[str, Topic]:
    """Topics by name. Raises msgspec.ValidationError when the file has a missing, unknown or wrong entry."""
    declared = msgspec.yaml.decode(path.read_bytes(), type=_Topics)
    return MappingProxyType({topic.name: topic for topic in declared.topics})


TOPICS = load_topics()

RAW = TOPICS["transactions-raw-v1"]
VALIDATED = TOPICS["transactions-validated-v1"]
ENRICHED = TOPICS["transactions-enriched-v1"]
PREDICTIONS = TOPICS["fraud-predictions-v1"]
ALERTS = TOPICS["fraud-alerts-v1"]
DLQ = TOPICS["transactions-dlq-v1"]
ANALYTICS = TOPICS["transactions-analytics-v1"]
LABELS = TOPICS["fraud-labels-v1"]
ADJUSTMENTS = TOPICS["transactions-adjustments-v1"]
