"""What the spool's files hold: frames of a length, a checksum and a record; a torn one ends what counts."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from zlib import crc32

import msgspec
from msgspec import Struct

_HEAD = struct.Struct("<II")
HEAD_BYTES = _HEAD.size


class Arrival(Struct, frozen=True):
    """A transaction as it came: key and value of its message, headers, and when (UTC epoch milliseconds)."""

    key: str
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    received_ms: int


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
    at = 0
    while at + HEAD_BYTES <= len(content):
        length, checksum = _HEAD.unpack_from(content, at)
        record = content[at + HEAD_BYTES : at + HEAD_BYTES + length]
        if len(record) < length or crc32(record) != checksum:
            return
        at += HEAD_BYTES + length
        yield _decode(record), at
