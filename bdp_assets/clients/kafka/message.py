"""A Kafka record as plain data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from confluent_kafka import Message as DriverMessage

Header = tuple[str, bytes]


class Message(Struct, frozen=True, gc=False):
    """One record; `timestamp_ms` is the topic's (producer's or broker's) UTC epoch milliseconds."""

    topic: str
    partition: int
    offset: int
    timestamp_ms: int
    key: bytes | None
    value: bytes | None
    headers: tuple[Header, ...] = ()

    def header(self, name: str) -> bytes | None:
        """First header of that name, or None."""
        return next((value for key, value in self.headers if key == name), None)


def from_driver(message: DriverMessage) -> Message:
    """Copy the driver's record (headers without value become empty bytes)."""
    headers = message.headers()
    return Message(
        message.topic(),
        message.partition(),
        message.offset(),
        message.timestamp()[1],
        message.key(),
        message.value(),
        tuple((name, value or b"") for name, value in headers) if headers else (),
    )
