"""The online store's part: all keys of the customer, of every catalog and generation.

Events and claims, what was folded of them and of their pairs, decisions, alerts. A merchant's tiles are sums
that name nobody; its known frauds are there by a hash of their transaction's id, for 180 days.
"""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.clients.redis import Redis, connect, run, scan
from bdp_assets.operations.erasure.customer import Customer
from bdp_assets.settings import Settings
from bdp_assets.streaming.worker import STORE_TIMEOUT_MS


def find(settings: Settings, customer: Customer) -> int:
    """How many keys there are. Raises StoreUnavailable."""
    return len({key for keys in _keys(_client(settings), customer) for key in keys})


def erase(settings: Settings, customer: Customer) -> int:
    """How many keys are gone now. Raises StoreUnavailable."""
    client = _client(settings)
    return sum(sum(run(client, [("UNLINK", key) for key in keys])) for keys in _keys(client, customer))


def _client(settings: Settings) -> Redis:
    return connect(settings.model_copy(update={"redis_timeout_ms": STORE_TIMEOUT_MS}))


def _keys(client: Redis, customer: Customer) -> Iterator[list[bytes]]:
    # An id has no character that a pattern would understand otherwise.
    return scan(client, f"bdp:*{{customer:{customer.id}}}:*")
