"""Plans on rows as the store keeps them: one compiled call an entity, however few the rows are.

What is computed is what `kernel.Plan.run` computes on a `history.History` of the same rows; property tests of
the store against its oracle hold it to that, bit for bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from bdp_assets.features import compiled
from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.compiled import codes
from bdp_assets.features.fields import Field
from bdp_assets.features.kernel import Plan
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import FIXED, TIME, column_names, record_width
from bdp_assets.features.sources import EventSources, Source, TileSources
from bdp_assets.features.spec import CUSTOMER, EXACT_EVENTS, FOLD, Entity
from bdp_assets.features.summaries import Summary
from bdp_assets.features.windows import Look

_NONE = np.zeros(0, dtype=np.int64)
Table = Sequence[Sequence[int] | Ints] | Ints
_KINDS = {"id": codes.PLACE_BEFORE, "run": codes.STARTS, "last": codes.PLACE}


class Packed(NamedTuple):
    """Stored rows of n owners, one owner after the other: their `numbers`, int64, and of each owner the
    `sizes` in bytes, int64 [n]; without sizes nobody has any."""

    numbers: Ints
    sizes: Ints

    @classmethod
    def of(cls, strings: Sequence[bytes]) -> Packed:
        joined = b"".join(strings)
        if not joined:
            return NOTHING
        sizes = np.array([len(one) for one in strings], dtype=np.int64)
        return cls(np.frombuffer(joined, dtype=np.int64), sizes)


NOTHING = Packed(_NONE, _NONE)


class Past(NamedTuple):
    """Events of n customers, and what decides which of them a transaction of each sees: its own `sequence`,
    and the `newest` event time before it (ms), int64 [n]."""

    events: Packed
    sequence: Ints
    newest: Ints


NO_PAST = Past(NOTHING, _NONE, _NONE)


class Asked(NamedTuple):
    """Queries, int64 [n]: the `owner` whose rows each sees (-1: none), its `ts`, for pairs the id that makes
    the pair (-1: none; then queries are one for each owner, in order); `own` fields, int64 [fields, n]."""

    owner: Ints
    ts: Ints
    pair: Ints
    own: Ints


class PackedPlan:
    """A plan ready for events of one layout, and for what it keeps as a `summary` of an entity (None:
    nothing)."""

    def __init__(self, plan: Plan, entity: Entity, summary: Summary | None, layout: Layout) -> None:
        places = {name: FIXED + i - 1 if i else TIME for i, name in enumerate(column_names(layout.ids))}
        tiles, events = TileSources(summary), EventSources(places)
        looked_at = [field for look in plan.looks for field in (look.field, *_decides(look))]
        self._at, sources = _sources(plan.fields, [*looked_at, *plan.picked], tiles, events)
        bounds, sums, lines, _, scale, default = plan.tables
        tables: dict[int, Table] = {
            codes.PLAN_RULES: [_rules(plan, entity, summary, layout, places)],
            codes.TILE_SOURCES: [of_tiles for of_tiles, _ in sources],
            codes.EVENT_SOURCES: [of_events for _, of_events in sources],
            codes.TILE_COLUMNS: [tiles.columns.used],
            codes.EVENT_COLUMNS: [events.columns.used],
            codes.TESTS: events.tests,
            codes.LOOKINGS: [self._look(*one) for one in zip(plan.looks, _reaches(plan), strict=True)],
            codes.LOOK_CODES: [plan.codes],
            codes.PICKINGS: [[self._at[field] for field in plan.picked]],
            codes.OWN_AT: [plan.own_at],
            codes.BOUNDS: bounds,
            codes.SUMS: sums,
            codes.LINES: lines,
            codes.SLOTS: [plan.slots],
        }
        self.numbers = one_array([tables[which] for which in range(codes.PLAN_TABLES)])
        self.factors = np.stack([scale, default])

    def run(self, summaries: Packed, past: Past, asked: Asked, matrix: Floats) -> None:
        """Write what is asked into `matrix`, float64 [features, queries]."""
        compiled.answer_packed(
            *(self.numbers, self.factors, EXACT_EVENTS),
            *(*summaries, *past.events, past.sequence, past.newest, *asked, matrix),
        )

    def _look(self, look: Look, reach: int) -> tuple[int, ...]:
        kind = _KINDS.get(look.kind, codes.PLAIN)
        seen = [self._at[field] for field in _decides(look)] or [-1]
        return kind, self._at[look.field], *seen, look.none, look.field.hop, reach


def _rules(
    plan: Plan, entity: Entity, summary: Summary | None, layout: Layout, places: dict[str, int]
) -> list[int]:
    is_pair = entity.state == "events" and entity != CUSTOMER
    rules = {
        codes.TILE_WIDTH: 1 if summary is None else summary.width,
        codes.TILES_RETAINED: layout.events_ms if entity == CUSTOMER else 0,
        codes.RECORD_WIDTH: record_width(layout.ids),
        codes.FOLDED_TO: FOLD,
        codes.RETAINED: layout.events_ms,
        codes.KEEPS_ALL: layout.is_endless,
        codes.PAIR_COLUMN: places[entity.keys[1]] if is_pair else -1,
        codes.PAIRS_FOLDED: summary is not None,
        codes.SUMMED: len(plan.fields),
        codes.WINDOW_FOLD: plan.tables[3],
        codes.REACH: int(_reach(plan).max()),
        codes.NEAREST: int(plan.tables[0][:, codes.SHIFT].min()),
    }
    return [rules[which] for which in range(codes.RULES)]


def _reach(plan: Plan) -> Ints:
    """How long (ms) before a query each bound lies at most."""
    shift, step, _, endless = plan.tables[0].T
    return np.where(endless, codes.EVERYTHING, shift + step)


def _reaches(plan: Plan) -> list[int]:
    """How long before a query the windows begin at most in which each look is looked at."""
    lines, reach = plan.tables[2], _reach(plan)
    starts = [lines[lines[:, codes.LOOK] == look, codes.START] for look in range(len(plan.looks))]
    return [int(reach[start].max(initial=0)) for start in starts]


def _sources(
    summed: Sequence[Field], others: Sequence[Field], tiles: TileSources, events: EventSources
) -> tuple[dict[Field, int], list[tuple[Source, Source]]]:
    """Where each field stands, and how they are read of tiles and of events: the summed ones as they come,
    of the others what is read in the same way once."""
    sources = [(tiles.of(field), events.of(field)) for field in summed]
    at = {field: i for i, field in enumerate(summed)}
    for field in others:
        source = tiles.of(field), events.of(field)
        if source not in sources:
            sources.append(source)
        at.setdefault(field, sources.index(source))
    return at, sources


def _decides(look: Look) -> list[Field]:
    """What decides whether a row is looked at; extremes have a number for where nothing matches."""
    return [] if look.kind in ("min", "max", "id") else [look.seen]


def one_array(tables: Sequence[Table]) -> Ints:
    """Tables as `compiled.packed` takes them: what it is called with costs by the array."""
    made = [np.array(table, dtype=np.int64) for table in tables]
    front, at = [], 3 * len(made)
    for table in made:
        rows, width = table.shape if table.ndim == 2 else (0, 0)
        front += [at, rows, width]
        at += table.size
    return np.concatenate([np.array(front, dtype=np.int64), *(table.reshape(-1) for table in made)])
