"""The allow and block lists in one process."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.clients.redis import Redis
from bdp_assets.decisions.following import Follower
from bdp_assets.decisions.list_channel import LISTS
from bdp_assets.decisions.lists import Lists, PublishedLists


class LiveLists(Follower[PublishedLists, Lists]):
    """Follows the published lists; `current` is a `CurrentLists`."""

    def __init__(self, client: Redis, copy: Path) -> None:
        """`copy`: the file that outlives the process."""
        super().__init__(client, copy, LISTS, Lists)
