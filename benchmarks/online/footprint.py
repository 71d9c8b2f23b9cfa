"""Memory of the filled store, as the server counts it."""

from __future__ import annotations

import re
from typing import Any

from redis import Redis

_OWNER = re.compile(rb"\{(customer|merchant):.*?\}")
"""Whose a key is: the id in braces that keeps all keys of one owner in one cluster slot."""


def footprint(client: Redis) -> dict[str, int]:
    """Bytes of a customer and of a merchant on average, with all their keys."""
    owned = [(owner, key) for key in client.scan_iter(count=1_000) if (owner := _OWNER.search(key))]
    pipeline: Any = client.pipeline(transaction=False)
    for _, key in owned:
        pipeline.memory_usage(key, samples=0)
    sizes: dict[str, dict[bytes, int]] = {"customer": {}, "merchant": {}}
    for (owner, _), size in zip(owned, pipeline.execute(), strict=True):
        of_kind = sizes[owner[1].decode()]
        of_kind[owner[0]] = of_kind.get(owner[0], 0) + size
    return {f"bytes_per_{kind}_bytes": round(sum(each.values()) / len(each)) for kind, each in sizes.items()}
