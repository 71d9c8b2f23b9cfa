"""Where lists are published: one hash of the online store, of no generation, which a rebuild leaves alone."""

from __future__ import annotations

from importlib.resources import files

import msgspec

from bdp_assets.clients.redis import Redis, Script, connect, run
from bdp_assets.decisions.lists import NO_LISTS, PublishedLists, decode_lists, encode_lists
from bdp_assets.settings import Settings

KEY = "bdp:lists"
TIMEOUT_MS = 5_000
"""Nobody who waits for an answer waits for this."""

PUBLISH = Script(files("bdp_assets.decisions").joinpath("publish.lua").read_text())


def channel(settings: Settings) -> Redis:
    """A client of its own, for those who publish and those who follow."""
    return connect(settings.model_copy(update={"redis_timeout_ms": TIMEOUT_MS}))


class ListsDamaged(Exception):  # noqa: N818 - read as what it is
    """What is in the online store is no list of entries. The message says what to do."""


def publish(client: Redis, lists: PublishedLists) -> int:
    """Put lists where processes look, unless later ones are there; the revision that is there now.

    Raises StoreUnavailable.
    """
    call = PUBLISH.call([KEY], lists.revision, encode_lists(lists))
    return int(run(client, [call], [PUBLISH])[0])


def published(client: Redis) -> PublishedLists:
    """What processes find; revision 0 where nothing was published. Raises StoreUnavailable, ListsDamaged."""
    [encoded] = run(client, [("HGET", KEY, "lists")])
    if encoded is None:
        return NO_LISTS.published
    try:
        return decode_lists(encoded)
    except msgspec.MsgspecError:
        raise ListsDamaged(
            "the lists in the online store are damaged: `bdp lists publish` puts them there anew"
        ) from None


def published_revision(client: Redis) -> int:
    """Of what processes find, 0 for nothing. Raises StoreUnavailable."""
    return int(run(client, [("HGET", KEY, "revision")])[0] or 0)
