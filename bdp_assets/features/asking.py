"""Asks the online store for claims: of the generation that serves, and again where that has changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from bdp_assets.clients.redis import Redis, StoreUnavailable, run
from bdp_assets.clients.redis_dialogue import Dialogue
from bdp_assets.clients.redis_exchange import Command
from bdp_assets.features import claiming
from bdp_assets.features.claiming import CLAIM, NEW, REDELIVERY, Call, Claimed
from bdp_assets.features.generations import Live, StoreMoved, merge_call, parsed, pointer
from bdp_assets.features.layout import Layout
from bdp_assets.features.served import Shared
from bdp_assets.features.spec import Entity

_SWITCHES = 3
"""How many generations a call goes after before it gives up: there is one switch in many minutes."""


class Answered(NamedTuple):
    """What a generation says to a call: claim.lua of each transaction, and the tiles of shared entities."""

    layout: Layout
    told: Sequence[Claimed]
    shared: dict[Entity, Shared]


class _Bound(NamedTuple):
    """The generation that is asked, and the one before while that still holds claims."""

    layout: Layout
    previous: Layout | None
    serves: bool
    """Not where nothing did: then `ready` tells so, and what is asked is answered as of a new store."""

    def is_of(self, live: Live | None) -> bool:
        """Whether that is what serves. Raises StoreUnavailable where something did, and nothing does now."""
        if live is None and self.serves:
            raise StoreUnavailable("the online store was emptied meanwhile: `bdp features rebuild-online`")
        return live is None or live.generation == self.layout.generation


class Asking:
    """Knows which generation it found serving."""

    def __init__(self, client: Redis, first: Layout) -> None:
        self._client = client
        self._first = first
        self._bound: _Bound | None = None

    @property
    def layout(self) -> Layout:
        """Keys of that generation."""
        return self._binding().layout

    def bind(self) -> bool:
        """Ask the generation that serves now; False where none does."""
        live = parsed(run(self._client, [pointer(self._first)])[0])
        if live is None:
            self._bound = _Bound(self._first, None, serves=False)
        else:
            previous = None if live.previous is None else self._first.of(live.previous)
            self._bound = _Bound(self._first.of(live.generation), previous, serves=True)
        return live is not None

    def claims(self, call: Call) -> Dialogue[Answered]:
        """Claims of a call. Raises StoreMoved for messages, where another generation serves."""
        own: set[int] = set()
        for _ in range(_SWITCHES):
            bound = self._binding()
            told, shared = yield from self._claims_of(bound, call)
            if shared is not None:
                # What the call claimed itself, of a generation that did not serve any more, came along.
                told |= {row: told[row]._replace(status=NEW) for row in own}
                return Answered(bound.layout, [told[row] for row in range(len(told))], shared)
            own |= {row for row, one in told.items() if one.status == NEW}
            self.bind()
            if "stream" in call.modes:
                break
        raise StoreMoved("the online store was rebuilt meanwhile: this is done again on what serves now")

    def _binding(self) -> _Bound:
        if self._bound is None:
            self.bind()
        assert self._bound is not None  # noqa: S101 - bind saw to it
        return self._bound

    def _claims_of(
        self, bound: _Bound, call: Call
    ) -> Dialogue[tuple[dict[int, Claimed], dict[Entity, Shared] | None]]:
        """What is told of transactions, and of shared entities; None where another generation serves."""
        layout, together = bound.layout, call.together()
        merges: list[Command] = []
        if bound.previous is not None:
            customers = dict.fromkeys(t.customer_id for t in call.transactions)
            merges = [merge_call(layout, bound.previous, customer) for customer in customers]
        wanted = claiming.shared_codes(layout, call.batch)
        # The pointer last: claims that were made before a switch come along in it.
        asked = [
            *claiming.claims(layout, call, together),
            *claiming.tile_reads(self._client, layout, wanted),
            pointer(layout),
        ]
        answers, was_repeated = yield [*merges, *asked], [CLAIM]
        *answers, serving = answers[len(merges) :]
        replies, tiles = answers[: len(together)], answers[len(together) :]
        live, told = parsed(serving), claiming.claimed(layout, together, replies)
        if was_repeated:
            told |= {row: _perhaps_own(one) for row, one in told.items() if call.modes[row] == "api"}
        if not bound.is_of(live) or len(told) < len(call.transactions):
            return told, None
        if live is not None and live.previous is None:
            self._bound = _Bound(layout, None, serves=True)
        return told, claiming.shared_tiles(layout, call.batch, wanted, tiles)


def _perhaps_own(told: Claimed) -> Claimed:
    """What was claimed and not decided, where the same was asked before, and nobody heard the answer: it may
    be ours. Sent to the stream twice, it is set aside there; by nobody, it would be lost."""
    is_open = told.status == REDELIVERY and told.decision is None
    return told._replace(status=NEW) if is_open else told
