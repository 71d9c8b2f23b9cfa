"""Who reads in a consumer group."""

from __future__ import annotations

import struct
import warnings

from bdp_assets.clients.kafka.connection import admin
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.settings import Settings

TIMEOUT_S = 5.0


def partitions_read(settings: Settings, group: str) -> int:
    """How many partitions the group's members have between them; 0 for a group that nobody is in.

    Raises KafkaUnavailable, KafkaRefused.
    """
    # Not `describe_consumer_groups`: when the broker dies under it, librdkafka may abort the whole process
    # (confluentinc/librdkafka#4605).
    with translated(settings.kafka), warnings.catch_warnings(action="ignore", category=DeprecationWarning):
        found = admin(settings).list_groups(group, timeout=TIMEOUT_S)
    return sum(count_partitions(member.assignment) for about in found for member in about.members)


def count_partitions(assignment: bytes) -> int:
    """Partitions in a member's assignment, as the group protocol writes it."""
    if not assignment:
        return 0
    _version, topics = struct.unpack_from(">hi", assignment)
    at, partitions = 6, 0
    for _ in range(topics):
        (length,) = struct.unpack_from(">h", assignment, at)
        (number,) = struct.unpack_from(">i", assignment, at + 2 + length)
        at += 2 + length + 4 + 4 * number
        partitions += number
    return partitions
