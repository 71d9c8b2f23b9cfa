"""How far topics were applied to a generation: offsets by `topic id:partition`, one past the last.

Two kinds. `filled`: every message before it is in this generation, whoever put it there. `reached`: so far a
worker of this generation has come; what it commits, it has applied here. A worker that begins after `reached`
has batches of another generation before it, and brings them in first.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from bdp_assets.clients.redis import Redis, run
from bdp_assets.clients.redis_exchange import Argument
from bdp_assets.features.layout import Layout


class Kind(StrEnum):
    FILLED = "filled"
    REACHED = "reached"


def read(client: Redis, layout: Layout, kind: Kind, topic_id: str) -> dict[int, int]:
    """Offsets by partition. Raises StoreUnavailable."""
    reply = run(client, [("HGETALL", layout.positions)])[0]
    start = f"{kind}:{topic_id}:"
    found = {key.decode(): int(offset) for key, offset in _pairs(reply)}
    return {int(key.removeprefix(start)): at for key, at in found.items() if key.startswith(start)}


def write(client: Redis, layout: Layout, kind: Kind, topic_id: str, offsets: Mapping[int, int]) -> None:
    """Raises StoreUnavailable."""
    fields: list[Argument] = []
    for partition, offset in offsets.items():
        fields += [f"{kind}:{topic_id}:{partition}", offset]
    if fields:
        run(client, [("HSET", layout.positions, *fields)])


def _pairs(reply: object) -> list[tuple[bytes, bytes]]:
    """What the driver makes of a hash: a dictionary, or from a pipeline its fields and values in turn."""
    if isinstance(reply, dict):
        return list(reply.items())
    assert isinstance(reply, list)  # noqa: S101 - nothing else is a hash
    return list(zip(reply[::2], reply[1::2], strict=True))
