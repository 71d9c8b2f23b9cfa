from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bdp_assets.contracts import topics
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.records import EnrichedTransaction, WindowAggregate
from bdp_assets.contracts.wire import RawTransaction

CONSTANTS = (
    topics.RAW,
    topics.VALIDATED,
    topics.ENRICHED,
    topics.PREDICTIONS,
    topics.ALERTS,
    topics.DLQ,
    topics.ANALYTICS,
    topics.LABELS,
    topics.ADJUSTMENTS,
)


def test_every_declared_topic_has_a_constant_and_a_schema_and_no_schema_is_without_a_topic() -> None:
    assert set(topics.TOPICS.values()) == set(CONSTANTS)
    assert {topic.schema_path for topic in CONSTANTS} == set(topics.SCHEMAS.glob("*.schema.json"))


def test_a_customer_keeps_its_partition_on_the_way_of_a_transaction() -> None:
    way = (topics.RAW, topics.VALIDATED, topics.ENRICHED, topics.PREDICTIONS, topics.ALERTS)
    assert {topic.key for topic in way} == {"customer_id"}
    assert len({topic.partitions for topic in way}) == 1
    assert "customer_id" in RawTransaction.__struct_fields__
    assert "customer_id" in EnrichedTransaction.__struct_fields__
    assert topics.ANALYTICS.key in WindowAggregate.__struct_fields__


def test_a_dead_letter_has_room_for_the_largest_raw_message_in_base64() -> None:
    assert topics.RAW.max_message_bytes >= 2 * 1024 * 1024
    assert topics.DLQ.max_message_bytes > topics.RAW.max_message_bytes * 4 / 3 + 64 * 1024


def test_versions_and_units() -> None:
    assert topics.RAW.schema_version == 1
    assert schema_version_header(topics.RAW) == ("schema-version", b"1")
    assert topics.RAW.retention_ms == topics.RAW.retention_days * 24 * 60 * 60 * 1000


def test_a_misspelled_setting_is_an_error(tmp_path: Path) -> None:
    wrong = topics.SCHEMAS.joinpath("topics.yaml").read_text().replace("partitions:", "partition:")
    tmp_path.joinpath("topics.yaml").write_text(wrong)
    with pytest.raises(msgspec.ValidationError, match="partition"):
        topics.load_topics(tmp_path / "topics.yaml")
