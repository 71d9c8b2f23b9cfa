"""Generations: a catalog's whole state, filled beside the one that serves and put in its place at once.

The pointer (`layout.live`, a hash) names the one that serves. A switch also names the one before it, as long
as claims may stand there that did not come by Kafka yet: whoever claims a transaction first brings over what
its customer has there (merge.lua), which closes the customer there. So each customer changes over in one
step, whether a writer has heard of the switch or not.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from importlib.resources import files
from typing import NamedTuple

from bdp_assets.clients.redis import Redis, Script, StoreUnavailable, run, scan
from bdp_assets.clients.redis_exchange import Command
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import CLAIM_BYTES, record_width

MOVED = b"moved"
"""In the place of the records of a customer who is closed."""
LAG_S = 3_600
"""How long a writer that has not heard of a switch (s) finds customers closed behind it."""

MERGE = Script(files("bdp_assets.features").joinpath("merge.lua").read_text())
_SWITCH = Script("""#!lua
-- KEYS[1] the pointer, ARGV the generation, 1 where the one before still holds claims, what was filled
-- Returns 0 where another rebuild has begun since: then nothing changes.
if redis.call('HGET', KEYS[1], 'filling') ~= ARGV[1] then return 0 end
local before = redis.call('HGET', KEYS[1], 'generation')
redis.call('HDEL', KEYS[1], 'filling', 'previous')
redis.call('HSET', KEYS[1], 'generation', ARGV[1], 'filled', ARGV[3])
if before and ARGV[2] == '1' then redis.call('HSET', KEYS[1], 'previous', before) end
return 1
""")

_SETTLED = Script("""#!lua
-- KEYS[1] the pointer, ARGV[1] a generation before that holds no claims any more; by now it may be another
if redis.call('HGET', KEYS[1], 'previous') ~= ARGV[1] then return 0 end
return redis.call('HDEL', KEYS[1], 'previous')
""")


class StoreMoved(StoreUnavailable):
    """Another generation serves: what is in hand has to be done again, there."""


class Superseded(Exception):  # noqa: N818 - reads as what it is
    """Another rebuild began after this one, and will be the one that serves."""


class Live(NamedTuple):
    """The generation that serves, and the one before it while that still holds claims."""

    generation: str
    previous: str | None


def pointer(layout: Layout) -> Command:
    """Asks for what `parsed` reads."""
    return ("HMGET", layout.live, "generation", "previous")


def parsed(reply: list[bytes | None]) -> Live | None:
    generation, previous = reply
    return None if generation is None else Live(generation.decode(), previous.decode() if previous else None)


def begin(client: Redis, layout: Layout) -> Layout:
    """An empty generation to fill; removes what rebuilds that died have left, and ends one that runs."""
    generation = secrets.token_hex(4)
    run(client, [("HSET", layout.live, "filling", generation)])
    _sweep(client, layout)
    return layout.of(generation)


def switch(client: Redis, filled: Layout, result: Mapping[str, object], *, keep_previous: bool) -> None:
    """Let a filled generation serve from now on. Raises Superseded."""
    arguments = (filled.generation, int(keep_previous), json.dumps(result))
    if not run(client, [_SWITCH.call([filled.live], *arguments)], [_SWITCH])[0]:
        raise Superseded("another rebuild of the online store began after this one: let that one finish")


def settle(client: Redis, layout: Layout, lag_s: float, sleep: Callable[[float], None] = time.sleep) -> None:
    """After a switch: bring over what stands in the generation before, twice, and remove that.

    Between the two times lie `lag_s` seconds, in which every call that began before the switch has ended.
    """
    live = parsed(run(client, [pointer(layout)])[0])
    if live is not None and live.previous is not None:
        for pause in (0.0, lag_s):
            sleep(pause)
            _move(client, layout.of(live.previous), layout.of(live.generation))
        run(client, [_SETTLED.call([layout.live], live.previous)], [_SETTLED])
    _sweep(client, layout)


def merge_call(new: Layout, old: Layout, customer_id: str) -> Command:
    """Bring over what a customer has in an older generation, and close him there: before any claim of his
    that comes after it."""
    return MERGE.whole_call(_merge_keys(new, old, customer_id), *merge_sizes(new))


def _merge_keys(new: Layout, old: Layout, customer_id: str) -> tuple[str, ...]:
    return (
        *(new.events(customer_id), new.claims(customer_id), new.folded(customer_id)),
        *(old.events(customer_id), old.claims(customer_id)),
    )


def merge_sizes(layout: Layout) -> tuple[int, int, int, int]:
    """What merge.lua has to know: bytes of an event and of a claim, seconds to live, seconds to lag."""
    return 8 * record_width(layout.ids), CLAIM_BYTES, layout.events_s, LAG_S


def _move(client: Redis, old: Layout, new: Layout) -> None:
    """Whoever has records in `old` and is not closed there."""
    for keys in scan(client, old.events("*")):
        customers = [old.customer_of(key.decode()) for key in keys]
        calls = [MERGE.call(_merge_keys(new, old, one), *merge_sizes(new)) for one in customers]
        run(client, calls, [MERGE])


def _sweep(client: Redis, layout: Layout) -> None:
    """Remove every generation that neither serves, nor is about to, nor still holds claims."""
    kept = run(client, [("HMGET", layout.live, "generation", "previous", "filling")])[0]
    prefixes = tuple(f"{layout.root}{generation.decode()}:".encode() for generation in kept if generation)
    ours = (*prefixes, layout.live.encode(), f"{layout.root}{{".encode())
    for keys in scan(client, f"{layout.root}*"):
        run(client, [("UNLINK", key) for key in keys if not key.startswith(ours)])
