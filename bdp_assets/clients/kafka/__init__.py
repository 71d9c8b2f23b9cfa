"""Kafka: the only importer of its driver (confluent-kafka). Everything that callers need is named here.

Records come out as `Message`; failures as `KafkaUnavailable` (start it, try again), `KafkaRefused` (it
said no), `DeliveryFailed`, `OffsetsGone`, `TransactionAborted` (redo) and `ProducerFenced` (leave).
"""

from bdp_assets.clients.kafka.connection import admin, consumer, producer, transactional_producer
from bdp_assets.clients.kafka.errors import (
    DeliveryFailed,
    KafkaRefused,
    KafkaUnavailable,
    OffsetsGone,
    ProducerFenced,
    TransactionAborted,
)
from bdp_assets.clients.kafka.group import GroupReader, Position, ends, starts
from bdp_assets.clients.kafka.message import Header, Message
from bdp_assets.clients.kafka.publisher import Publisher
from bdp_assets.clients.kafka.reading import read_range, stream_range
from bdp_assets.clients.kafka.receipts import Receipts
from bdp_assets.clients.kafka.tail import TailReader
from bdp_assets.clients.kafka.topics import (
    TopicReport,
    TopicSpec,
    committed_offsets,
    ensure_topics,
    newest_times,
    topic_ids,
    topic_names,
    watermarks,
)
from bdp_assets.clients.kafka.transaction import TransactionalPublisher

__all__ = [
    "DeliveryFailed",
    "GroupReader",
    "Header",
    "KafkaRefused",
    "KafkaUnavailable",
    "Message",
    "OffsetsGone",
    "Position",
    "ProducerFenced",
    "Publisher",
    "Receipts",
    "TailReader",
    "TopicReport",
    "TopicSpec",
    "TransactionAborted",
    "TransactionalPublisher",
    "admin",
    "committed_offsets",
    "consumer",
    "ends",
    "ensure_topics",
    "newest_times",
    "producer",
    "read_range",
    "starts",
    "stream_range",
    "topic_ids",
    "topic_names",
    "transactional_producer",
    "watermarks",
]
