"""Factories of the driver's objects with settings that were measured (docs: DESIGN section 11)."""

from __future__ import annotations

import logging
from typing import Any

from confluent_kafka import Consumer, Producer
from confluent_kafka.admin import AdminClient

from bdp_assets.settings import InvalidSettings, Settings

LARGEST_MESSAGE_BYTES = 8_388_608
"""A dead letter carries a message in base64: four thirds of the largest one that a topic of ours takes."""

TRANSACTION_TIMEOUT_MS = 10_000
"""How long readers may be held up by a dead worker's open transaction, at most."""

_log = logging.getLogger("bdp.kafka")


def _common(settings: Settings) -> dict[str, Any]:
    return {
        "bootstrap.servers": settings.kafka,
        **_security(settings),
        "logger": _log,
        # A broker that restarts takes seconds: knock often, it is one process on the same machine or network.
        "reconnect.backoff.max.ms": 1_000,
        "log.connection.close": False,
    }


def _security(settings: Settings) -> dict[str, str]:
    """TLS where there is a CA file, a login where there is a user. Raises InvalidSettings: half a login."""
    tls, user, password = settings.kafka_ca_file, settings.kafka_username, settings.kafka_password
    if (user is None) != (password is None):
        raise InvalidSettings("BDP_KAFKA_USERNAME, BDP_KAFKA_PASSWORD: set both or none.")
    transport = "plaintext" if tls is None else "ssl"
    secured = {"security.protocol": transport if user is None else f"sasl_{transport}"}
    if tls is not None:
        secured["ssl.ca.location"] = str(tls)
    if user is not None and password is not None:
        login = {"sasl.username": user, "sasl.password": password.get_secret_value()}
        secured |= {"sasl.mechanisms": "SCRAM-SHA-512", **login}
    return secured


def admin(settings: Settings) -> Any:
    """`confluent_kafka.admin.AdminClient`."""
    return AdminClient(_common(settings))


def producer(settings: Settings, **overrides: object) -> Any:
    """Idempotent `confluent_kafka.Producer`: no loss, no doubles, order kept within a partition."""
    return Producer(
        {
            **_common(settings),
            "enable.idempotence": True,
            # One request of a partition at a time. With several under way, the first of a new producer may be
            # refused (the leader is not ready yet) and the second written: the broker then takes the repeated
            # first one for a duplicate, the driver believes it, and a message is lost that counts as written.
            "max.in.flight.requests.per.connection": 1,
            "linger.ms": 5,
            "compression.type": "lz4",
            # Java's partitioner, not librdkafka's own: a key must meet its customer whoever produces it.
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 200_000,
            "message.max.bytes": LARGEST_MESSAGE_BYTES,
            "delivery.timeout.ms": 30_000,
            **overrides,
        }
    )


def transactional_producer(settings: Settings, transactional_id: str) -> Any:
    """Producer whose writes and offsets commit together.

    `transactional_id` must be stable per worker slot: with a fresh one after a kill, readers stay blocked
    until the dead transaction times out; with the same one, its successor aborts it at once.
    """
    return producer(
        settings,
        **{
            "transactional.id": transactional_id,
            "transaction.timeout.ms": TRANSACTION_TIMEOUT_MS,
            "delivery.timeout.ms": TRANSACTION_TIMEOUT_MS,
            # The commit flushes; waiting only makes the requests larger.
            "linger.ms": 20,
            # A transaction that begins while the markers of the one before are being written is told to try
            # again; by default (100) that makes every second commit of a busy broker take 100 ms, not 6.
            "retry.backoff.ms": 10,
            # The commit says what became of all: a report a message would be work for nobody.
            "delivery.report.only.error": True,
        },
    )


def consumer(settings: Settings, group: str, **overrides: object) -> Any:
    """`confluent_kafka.Consumer` that sees committed messages only and never commits by itself."""
    return Consumer(
        {
            **_common(settings),
            "group.id": group,
            "isolation.level": "read_committed",
            "enable.auto.commit": False,
            "enable.auto.offset.store": False,
            "auto.offset.reset": "earliest",
            "partition.assignment.strategy": "cooperative-sticky",
            # By default (1000) the fetcher sleeps a second whenever its queue is full: 24,000/s, not 283,000.
            "fetch.queue.backoff.ms": 5,
            "queued.min.messages": 20_000,
            "queued.max.messages.kbytes": 32_768,
            **overrides,
        }
    )
