"""Which formats and catalogs the online store has state of, and whether ours is among them."""

from __future__ import annotations

import re
from typing import NamedTuple

from bdp_assets.clients.redis import Redis, connect, scan
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.layout import FORMAT, Layout
from bdp_assets.operations.upgrade.state import State
from bdp_assets.settings import Settings

NAME = "online store"
_LIVE = re.compile(rb"^bdp:features:(\d+)\.([^:]+):live$")


class Kept(NamedTuple):
    """State of one format and catalog that serves, or served an earlier version of the code."""

    format: int
    catalog: str

    def __str__(self) -> str:
        return f"format {self.format}, catalog {self.catalog}"


OURS = Kept(FORMAT, CATALOG.version)


def examine(settings: Settings) -> State:
    """Walks over all keys of the store, some at a time. Raises StoreUnavailable."""
    return judge(kept(connect(settings)))


def kept(client: Redis) -> set[Kept]:
    """By the pointers that name what serves (`Layout.live`)."""
    assert _LIVE.match(Layout.first(CATALOG).live.encode())  # noqa: S101 - the layout's keys are as read here
    found = (_LIVE.match(key) for keys in scan(client, "bdp:features:*:live") for key in keys)
    return {Kept(int(one[1]), one[2].decode()) for one in found if one}


def judge(there: set[Kept]) -> State:
    """Formats have an order, catalogs have none: another one, of our format, is one to be rebuilt from."""
    told = "; ".join(map(str, sorted(there))) or "nothing"
    if any(one.format > FORMAT for one in there):
        do = "Run the version of the platform that wrote it, or remove its keys and rebuild."
        return State(NAME, told, str(OURS), "newer", do)
    if OURS in there:
        return State(NAME, told, str(OURS), "current")
    if not there:
        return State(NAME, told, str(OURS), "absent")
    return State(NAME, told, str(OURS), "due", "Rebuild from the lake and Kafka, beside what serves.")
