"""What is published to all processes: a hash of the online store that no rebuild touches."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import Generic, Protocol, TypeVar

import msgspec
from prometheus_client import Gauge

from bdp_assets.clients.redis import Redis, Script, connect, run
from bdp_assets.settings import Settings

TIMEOUT_MS = 5_000
"""Nobody who waits for an answer waits for this."""

PUBLISH = Script(files("bdp_assets.decisions").joinpath("publish.lua").read_text())


class Revised(Protocol):
    """What can be published. The later revision stands; it is in UTC epoch microseconds, 0: nothing."""

    @property
    def revision(self) -> int: ...
    def __len__(self) -> int: ...


RevisedT = TypeVar("RevisedT", bound=Revised)


class Damaged(Exception):  # noqa: N818 - read as what it is
    """What is in the online store is not what was published. The message says what to do."""


@dataclass(frozen=True)
class Publication(Generic[RevisedT]):
    """One kind of thing that is published, and how processes that follow it tell how they fare."""

    name: str
    """Of the things, in sentences and as the field of the hash."""
    kind: type[RevisedT]
    nothing: RevisedT
    nobody: str
    """What holds where nothing is known, in a sentence."""
    anew: str
    """The command that publishes them again."""
    published_gauge: Gauge
    unreadable_gauge: Gauge

    @property
    def key(self) -> str:
        return f"bdp:{self.name}"

    def decode(self, encoded: bytes) -> RevisedT:
        """Raises msgspec.MsgspecError for what is no such thing."""
        return msgspec.json.decode(encoded, type=self.kind)

    def publish(self, client: Redis, things: RevisedT) -> int:
        """Put them where processes look, unless later ones are there; the revision that is there now.

        Raises StoreUnavailable.
        """
        call = PUBLISH.call([self.key], things.revision, msgspec.json.encode(things), self.name)
        return int(run(client, [call], [PUBLISH])[0])

    def published(self, client: Redis) -> RevisedT:
        """What processes find; revision 0 where there is nothing. Raises StoreUnavailable, Damaged."""
        [encoded] = run(client, [("HGET", self.key, self.name)])
        if encoded is None:
            return self.nothing
        try:
            return self.decode(encoded)
        except msgspec.MsgspecError:
            raise Damaged(
                f"the {self.name} in the online store are damaged: `{self.anew}` puts them there anew"
            ) from None

    def published_revision(self, client: Redis) -> int:
        """Of what processes find, 0 for nothing. Raises StoreUnavailable."""
        return int(run(client, [("HGET", self.key, "revision")])[0] or 0)


def channel(settings: Settings) -> Redis:
    """A client of its own, for those who publish and those who follow."""
    return connect(settings.model_copy(update={"redis_timeout_ms": TIMEOUT_MS}))
