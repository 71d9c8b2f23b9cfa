"""Who was erased, as it reaches processes: keyed hashes of ids and moments, never an id."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from msgspec import Meta, Struct

from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.erasure import Tombstones
from bdp_assets.decisions.following import Follower
from bdp_assets.decisions.publication import Publication
from bdp_assets.observability.tombstone_metrics import TOMBSTONES_PUBLISHED, TOMBSTONES_UNREADABLE

Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]


class PublishedTombstones(Struct, frozen=True, forbid_unknown_fields=True):
    """All tombstones at one moment, the revision: before they were read (UTC epoch microseconds)."""

    revision: int
    until_ms: dict[Hash, int]

    def __len__(self) -> int:
        return len(self.until_ms)


TOMBSTONES = Publication(
    name="tombstones",
    kind=PublishedTombstones,
    nothing=PublishedTombstones(0, {}),
    nobody="nobody is known to be erased",
    anew="bdp features rebuild-online",
    published_gauge=TOMBSTONES_PUBLISHED,
    unreadable_gauge=TOMBSTONES_UNREADABLE,
)


class LiveTombstones(Follower[PublishedTombstones, Tombstones]):
    """Follows the published tombstones; `current` is a `CurrentTombstones`."""

    def __init__(self, client: Redis, copy: Path, key: bytes) -> None:
        """`copy`: the file that outlives the process. `key`: that of the hashes."""
        super().__init__(client, copy, TOMBSTONES, lambda those: Tombstones(those.until_ms, key))

    def is_erased(self, customer_id: str, ts_ms: int | None) -> bool:
        """An `IsErased`, as of now."""
        return self.current().cover(customer_id, ts_ms)
