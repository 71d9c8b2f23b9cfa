"""Who reads in a consumer group."""

from __future__ import annotations

from bdp_assets.clients.kafka.connection import admin
from bdp_assets.clients.kafka.errors import translated
from bdp_assets.settings import Settings

TIMEOUT_S = 5.0


def partitions_read(settings: Settings, group: str) -> int:
    """How many partitions the group's members have between them; 0 for a group that nobody is in.

    Raises KafkaUnavailable, KafkaRefused.
    """
    with translated(settings.kafka):
        client = admin(settings)  # kept in a name: the call dies with its client
        future = client.describe_consumer_groups([group], request_timeout=TIMEOUT_S)[group]
        members = future.result(TIMEOUT_S).members
    return sum(len(member.assignment.topic_partitions) for member in members if member.assignment)
