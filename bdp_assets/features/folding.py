"""Keeps customers small: what no window needs as exact events goes into summaries, a block at a time.

The sums are made here, not in Lua: they outgrow its doubles. Two writers may fold the same customer at once:
fold.lua lets the first one through.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from importlib.resources import files
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from bdp_assets.clients.redis import Redis, Script, run
from bdp_assets.clients.redis_exchange import Argument, Command
from bdp_assets.features.aggregates import Ints
from bdp_assets.features.compiled.codes import BEFORE
from bdp_assets.features.fields import event_field
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import CLAIM_BYTES, NEWEST, TIME, Events, record_width, unpack
from bdp_assets.features.spec import EXACT_EVENTS, FOLD, Entity
from bdp_assets.features.summaries import Summary, retired

SPARE_EVENTS = 2_000
"""Events kept behind the exact ones, so that a micro-batch delivered again sees what it saw at first."""
BLOCK = 32
"""Records cut at a time: each cut rewrites the string, which costs more than keeping a few."""
LATER = 8
"""Blocks that a call of the API leaves to the stream, which comes after it: a cut is another round trip."""
KEEP = 32
"""Claims that see, delivered again, what they saw at first, however far event time has jumped since."""

FOLD_SCRIPT = Script(files("bdp_assets.features").joinpath("fold.lua").read_text())


def surplus(layout: Layout, records: bytes, blocks: int = 1) -> int:
    """How many of a customer's packed events nobody needs any more, from the front; 0 if no `blocks`."""
    least = blocks * BLOCK
    width = record_width(layout.ids)
    count = len(records) // (8 * width)
    if count < KEEP + least:
        return 0
    horizon = _horizon(layout, records)
    if count <= EXACT_EVENTS + SPARE_EVENTS and _int64(records, (least - 1) * width + TIME) > horizon:
        return 0  # Almost always: there is not a block to cut.
    stands = np.frombuffer(records, dtype="<i8").reshape(-1, width)[: count - KEEP, TIME] > horizon
    stale = int(stands.argmax()) if stands.any() else len(stands)
    cut = max(stale, count - EXACT_EVENTS - SPARE_EVENTS)
    return cut if cut >= least else 0


class Cut(NamedTuple):
    """How many events to cut of a customer, and what was read of him at once: both packed."""

    customer_id: str
    size: int
    events: bytes
    folded: bytes


def fold(client: Redis, layout: Layout, cuts: Sequence[Cut]) -> None:
    """Cut events of customers, from the front: all at once. Raises StoreUnavailable."""
    if not cuts:
        return
    width = 8 * record_width(layout.ids)
    gone = [Events.unpack([cut.events[: width * cut.size]], layout.ids) for cut in cuts]
    pairs = [_pairs(layout, events) for events in gone]
    known = _known_pairs(client, layout, cuts, pairs)
    calls = []
    for cut, events, folded, of_pairs, packed in zip(
        cuts, gone, _folded(layout, cuts), pairs, known, strict=True
    ):
        changed: list[Argument] = []
        for entity, fields in of_pairs.items():
            changed += _folded_pairs(layout.pairs[entity], fields, packed, events)
        ends = (int(events.sequence[0]), int(events.sequence[-1]))
        keys = layout.keys_of(cut.customer_id)
        calls.append(FOLD_SCRIPT.call(keys, *ends, cut.size, width, CLAIM_BYTES, folded, *changed))
    run(client, calls, [FOLD_SCRIPT])


def _pairs(layout: Layout, events: Events) -> dict[Entity, list[bytes]]:
    """Where the summaries of the events' pairs lie, for each entity whose pairs are kept."""
    return {entity: pair_fields(entity, events.columns[entity.keys[1]]) for entity in layout.pairs}


def _known_pairs(
    client: Redis, layout: Layout, cuts: Sequence[Cut], pairs: Sequence[Mapping[Entity, list[bytes]]]
) -> list[dict[bytes, bytes | None]]:
    """What was folded of those pairs before."""
    wanted = [[field for fields in of.values() for field in dict.fromkeys(fields) if field] for of in pairs]
    reads: list[Command] = [
        ("HMGET", layout.paired(cut.customer_id), *fields)
        for cut, fields in zip(cuts, wanted, strict=True)
        if fields
    ]
    found = iter(run(client, reads) if reads else ())
    return [dict(zip(fields, next(found), strict=True)) if fields else {} for fields in wanted]


def pair_fields(entity: Entity, ids: Ints) -> list[bytes]:
    """Where the summary of each pair lies in its customer's hash; empty without the id."""
    return [b"%s:%d" % (entity.name.encode(), value) if value >= 0 else b"" for value in ids.tolist()]


def folded_rows(summary: Summary, start: Ints, events: Events) -> Ints:
    """Events as rows of a summary, int64 [n, width]."""
    return summary.rows(start, partial(event_field, columns=events.columns), events.sequence)


def folded_start(events: Events, horizon: Ints | int) -> Ints:
    """Where events that are cut are folded to: the start of their FOLD, or BEFORE."""
    return retired(events.ts - events.ts % FOLD, horizon)


def _horizon(layout: Layout, records: bytes) -> int:
    """The time (ms) up to which events have retired for the last KEEP claims."""
    width = record_width(layout.ids)
    count = len(records) // (8 * width)
    return _int64(records, (count - KEEP) * width + NEWEST) - layout.events_ms


def _int64(packed: bytes, at: int) -> int:
    return int.from_bytes(packed[8 * at : 8 * at + 8], "little", signed=True)


def _folded(layout: Layout, cuts: Sequence[Cut]) -> list[bytes]:
    """The new summary of each customer, packed: all are merged at once."""
    summary, width = layout.customer, 8 * record_width(layout.ids)
    horizon = np.array([_horizon(layout, cut.events) for cut in cuts], dtype=np.int64)
    before, old = unpack([cut.folded for cut in cuts], summary.width)
    old = old.copy()
    old[:, 0] = retired(old[:, 0], horizon[before])
    gone = Events.unpack([cut.events[: width * cut.size] for cut in cuts], layout.ids)
    group = np.concatenate([before, gone.row])
    table = np.concatenate([old, folded_rows(summary, folded_start(gone, horizon[gone.row]), gone)])
    if not layout.is_endless:
        stands = table[:, 0] != BEFORE
        group, table = group[stands], table[stands]
    group, table = summary.merge(group, table)
    packed, size = table.astype("<i8").tobytes(), 8 * summary.width
    ends = [0, *np.searchsorted(group, np.arange(len(cuts)), side="right").tolist()]
    return [packed[size * first : size * end] for first, end in pairwise(ends)]


def _folded_pairs(
    summary: Summary, fields: list[bytes], packed: dict[bytes, bytes | None], gone: Events
) -> list[Argument]:
    """Fields of the pairs' hash, each followed by its new summary."""
    rows = folded_rows(summary, np.full(len(fields), BEFORE), gone)
    changed: list[Argument] = []
    for field in dict.fromkeys(fields):
        if field:
            old = np.frombuffer(packed[field] or b"", dtype="<i8").reshape(-1, summary.width)
            table = np.concatenate([old, rows[[one == field for one in fields]]])
            merged = summary.merge(np.zeros(len(table), dtype=np.int64), table)[1]
            changed += [field, merged.astype("<i8").tobytes()]
    return changed
