"""The lists in one process: in memory, about a second behind the online store, and no call waits for them.

While the store is away the last lists stay in force; a process that starts meanwhile has the copy that the
one before it left on disk. Where the store was emptied, whoever knows the lists puts them back.
"""

from __future__ import annotations

import logging
import os
import threading
from pathlib import Path

import msgspec

from bdp_assets.clients.redis import Redis, StoreUnavailable
from bdp_assets.decisions.list_channel import ListsDamaged, publish, published, published_revision
from bdp_assets.decisions.lists import NO_LISTS, Lists, PublishedLists, decode_lists, encode_lists
from bdp_assets.observability.list_metrics import LISTS_PUBLISHED, LISTS_UNREADABLE

EVERY_S = 1.0

_log = logging.getLogger("bdp.lists")


class LiveLists:
    """Follows the published lists; `current` is a `CurrentLists`."""

    def __init__(self, client: Redis, copy: Path) -> None:
        """`copy`: the file that outlives the process."""
        self._client = client
        self._copy = copy
        self._lists = NO_LISTS
        self._known = False
        self._complaint = ""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="lists", daemon=True)

    def current(self) -> Lists:
        return self._lists

    def start(self) -> None:
        """Take the copy, then the store's if they are later; go on in the background."""
        self._take_copy()
        self.look()
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> None:
        """Take later lists from the store, or give it ours where it has earlier ones or none."""
        mine = self._lists.published
        try:
            theirs = published_revision(self._client)
            if theirs > mine.revision:
                self._take(published(self._client))
                self._keep_copy()
            elif theirs < mine.revision:
                publish(self._client, mine)
                _log.warning("the online store had no or earlier lists, and has ours now")
            self._known, self._complaint = True, ""
        except (StoreUnavailable, ListsDamaged) as error:
            self._complain(str(error))
        LISTS_UNREADABLE.set(1 if self._complaint else 0)
        LISTS_PUBLISHED.set(self._lists.published.revision / 1_000_000)

    def _take(self, lists: PublishedLists) -> None:
        self._lists = Lists(lists)
        _log.info("lists read", extra={"entries": len(lists.entries), "revision": lists.revision})

    def _keep_copy(self) -> None:
        try:
            self._write_copy(encode_lists(self._lists.published))
        except OSError as error:
            _log.error(
                "%s can not be written (%s): started anew while the online store is away, nobody is listed",
                self._copy,
                error.strerror,
            )

    def _write_copy(self, encoded: bytes) -> None:
        draft = self._copy.with_name(f".{self._copy.name}-{os.getpid()}")
        draft.parent.mkdir(parents=True, exist_ok=True)
        draft.touch(mode=0o600)
        draft.write_bytes(encoded)
        draft.replace(self._copy)

    def _take_copy(self) -> None:
        try:
            self._take(decode_lists(self._copy.read_bytes()))
            self._known = True
        except FileNotFoundError:
            return
        except (OSError, msgspec.MsgspecError):
            _log.error(
                "the copy of the lists in %s can not be read; the online store's are taken", self._copy
            )

    def _complain(self, complaint: str) -> None:
        """Once for each reason."""
        if complaint != self._complaint:
            now = "the last ones stay in force" if self._known else "nobody is listed until then"
            _log.error("lists: %s; %s", complaint, now)
        self._complaint = complaint

    def _watch(self) -> None:
        while not self._stopped.wait(EVERY_S):
            self.look()
