"""What the spool's files hold: frames of a length, a checksum and a record; a torn one ends what counts."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from zlib import crc32

import msgspec
from msgspec import Struct

from bdp_assets.contracts.topics import RAW

_HEAD = struct.Struct("<II")
HEAD_BYTES = _HEAD.size


class Arrival(Struct, frozen=True):
    """What came: key and value of its message, headers, when (UTC epoch milliseconds), and its topic.

    A spool from before there were labels does not name the topic.
    """

    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    received_ms: int
    topic: str = RAW.name


class Came(Struct, frozen=True, array_like=True, tag="c"):
    """An arrival and its number: they count up, for as long as the spool exists."""

    number: int
    arrival: Arrival


class Settled(Struct, frozen=True, array_like=True, tag="s"):
    """What became of an arrival: whether the stream gets it, and the decision that was answered (or b"")."""

    number: int
    sends: bool
    decision: bytes = b""


Frame = Came | Settled
_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Frame).decode


def packed(frames: Iterable[Frame]) -> bytes:
    parts: list[bytes] = []
    for frame in frames:
        record = _encode(frame)
        parts += (_HEAD.pack(len(record), crc32(record)), record)
    return b"".join(parts)


def unpacked(content: bytes) -> Iterator[tuple[Frame, int]]:
    """Whole frames, and where each ends; stops at the first that is torn or damaged."""
    at, size, view = 0, len(content), memoryview(content)
    while (start := at + HEAD_BYTES) <= size:
        length, checksum = _HEAD.unpack_from(content, at)
        at = start + length
        # Zeros, as a power cut may leave them, have the checksum of an empty record; there are none.
        if not length or at > size or crc32(record := view[start:at]) != checksum:
            return
        yield _decode(record), at
