"""Memory of the filled store, as the server counts it."""

from __future__ import annotations

from typing import Any

from bdp_assets.clients.redis import Redis


def footprint(client: Redis, customers: int, merchants: int) -> dict[str, int]:
    """Bytes for a customer and for a merchant on average: all their keys, which carry their id in braces."""
    sizes = {kind: _size(client, f"*{{{kind}:*") for kind in ("customer", "merchant")}
    return {
        "bytes_per_customer_bytes": round(sizes["customer"] / customers),
        "bytes_per_merchant_bytes": round(sizes["merchant"] / merchants),
    }


def _size(client: Redis, pattern: str) -> int:
    pipeline: Any = client.pipeline(transaction=False)
    for key in client.scan_iter(match=pattern, count=1_000):
        pipeline.memory_usage(key, samples=0)
    return sum(pipeline.execute())
