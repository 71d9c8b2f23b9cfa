"""What is published, in one process: in memory, about a second behind the store, and no call waits for it.

While the store is away what was read last stays in force; a process that starts meanwhile has the copy that
the one before it left on disk. Where the store was emptied, whoever knows what was published puts it back.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Generic, TypeVar

import msgspec

from bdp_assets.clients.redis import Redis, StoreUnavailable
from bdp_assets.decisions.publication import Damaged, Publication, RevisedT

EVERY_S = 1.0
ViewT = TypeVar("ViewT")


class Follower(Generic[RevisedT, ViewT]):
    """Follows what is published; `current` is it, as `view` makes it of what came."""

    def __init__(
        self,
        client: Redis,
        copy: Path,
        publication: Publication[RevisedT],
        view: Callable[[RevisedT], ViewT],
    ) -> None:
        """`copy`: the file that outlives the process."""
        self._client = client
        self._copy = copy
        self._publication = publication
        self._view = view
        self._things = publication.nothing
        self._current = view(publication.nothing)
        self._log = logging.getLogger(f"bdp.{publication.name}")
        self._known = False
        self._complaint = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name=publication.name, daemon=True)

    def current(self) -> ViewT:
        return self._current

    def start(self) -> None:
        """Take the copy, then the store's if it is later; go on in the background."""
        self._take_copy()
        self.look()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Take what is later from the store, or give it ours where it has what is earlier or nothing."""
        publication, mine = self._publication, self._things
        try:
            theirs = publication.published_revision(self._client)
            if theirs > mine.revision:
                self._take(publication.published(self._client))
                self._keep_copy()
            elif theirs < mine.revision:
                publication.publish(self._client, mine)
                self._log.warning("the online store had no or earlier %s, and has ours now", publication.name)
            self._known, self._complaint = True, ""
        except (StoreUnavailable, Damaged) as error:
            self._complain(str(error))
        publication.unreadable_gauge.set(1 if self._complaint else 0)
        publication.published_gauge.set(self._things.revision / 1_000_000)

    def _take(self, things: RevisedT) -> None:
        self._current = self._view(things)
        self._things = things
        self._log.info(
            "%s read",
            self._publication.name,
            extra={"entries": len(things), "revision": things.revision},
        )

    def _keep_copy(self) -> None:
        try:
            self._write_copy(msgspec.json.encode(self._things))
        except OSError as error:
            self._log.error(
                "%s can not be written (%s): started anew while the online store is away, %s",
                self._copy,
                error.strerror,
                self._publication.nobody,
            )

    def _write_copy(self, encoded: bytes) -> None:
        draft = self._copy.with_name(f".{self._copy.name}-{os.getpid()}")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(encoded)
        draft.replace(self._copy)

    def _take_copy(self) -> None:
        try:
            self._take(self._publication.decode(self._copy.read_bytes()))
            self._known = True
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError):
            self._log.error(
                "the copy of the %s in %s can not be read; the online store's are taken",
                self._publication.name,
                self._copy,
            )

    def _complain(self, complaint: str) -> None:
        """Once for each reason."""
        if complaint != self._complaint:
            now = "the last ones stay in force" if self._known else f"{self._publication.nobody} until then"
            self._log.error("%s: %s; %s", self._publication.name, complaint, now)
        self._complaint = complaint

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.look()
