"""The contract's topics, as the Kafka client wants them."""

from __future__ import annotations

from bdp_assets.clients.kafka import TopicSpec
from bdp_assets.contracts.topics import TOPICS


def specs() -> list[TopicSpec]:
    """One specification a topic of schemas/topics.yaml."""
    return [
        TopicSpec(
            topic.name,
            topic.partitions,
            {"retention.ms": str(topic.retention_ms), "max.message.bytes": str(topic.max_message_bytes)},
        )
        for topic in TOPICS.values()
    ]
