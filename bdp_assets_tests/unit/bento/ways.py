"""The API's two ways, below ASGI and over it, and what a caller hears on each."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from bdp_assets_tests.unit.bento.fakes import FakeStore
from bdp_assets_tests.unit.bento.wire import Wire
from bento.access.access import Access
from bento.access.keyring import Keyring
from bento.access.limiter import LocalLimiter
from bento.app import Api
from bento.serving import Serving


class Heard(NamedTuple):
    """What a caller gets, but for ids that were made up, and how it goes on."""

    sent: bytes
    closed: bool

    @classmethod
    def of(cls, wire: Wire) -> Heard:
        return cls(re.sub(rb"\b[0-9a-f]{32}\b", b"(id)", wire.transport.sent), wire.transport.closed)


class Ways:
    """The API below ASGI and over it, each time as if nobody had called before."""

    def __init__(self, serving: Serving, store: FakeStore) -> None:
        self._store = store
        self._serving = serving
        self.keyring: Keyring | None = None
        self.rate = 0
        self.was_fast: list[bool] = []

    def wire(self, *, fast: bool, **options: Any) -> Wire:
        self._store.claims.clear()
        self._store.decisions.clear()
        self._serving.access = Access(self.keyring, LocalLimiter(lambda: 0), self.rate)
        api = Api()
        api.attach(self._serving)
        return Wire(api, fast=fast, **options)

    def heard(self, pieces: Sequence[bytes], *, fast: bool) -> Heard:
        async def talk() -> Heard:
            wire = self.wire(fast=fast)
            await wire.say(*pieces)
            self.was_fast.append(wire.is_fast)
            return Heard.of(wire)

        return asyncio.run(talk())

    def same(self, *pieces: bytes) -> Heard:
        """What both say."""
        over = self.heard(pieces, fast=False)
        assert self.heard(pieces, fast=True) == over
        return over
