"""All that transactions are answered with, from what the online store keeps, ready for one compiled call."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from bdp_assets.features.aggregates import Floats, Ints
from bdp_assets.features.compiled import codes
from bdp_assets.features.formulas import COLUMNS
from bdp_assets.features.kernel import Engine
from bdp_assets.features.layout import Layout
from bdp_assets.features.packed import PackedPlan, Table, one_array
from bdp_assets.features.sources import EventSources
from bdp_assets.features.spec import CUSTOMER, Entity
from bdp_assets.features.summaries import Summary

RECORDS, FOLDED = 0, 1
"""Groups of strings: the customer's events, and what was folded. Pairs follow, and series of tiles."""


class Program:
    """Of a catalog and its layout; `columns` of transactions are `COLUMNS` and the catalog's ids.

    `numbers`: int64 [n], and `factors`: float64 [n], the defaults of all features, and then of each plan the
    scales and defaults of its own; as `compiled.answer_program` takes them.
    """

    def __init__(self, engine: Engine, layout: Layout) -> None:
        self._columns = (*COLUMNS, *engine.catalog.ids)
        self.pairs = [e for e in engine.plans if e.state == "events" and e != CUSTOMER]
        """Entities whose summaries are groups of strings, in order."""
        self.shared = list(layout.shared)
        """Entities whose series of tiles are, each owner in a row of what is asked."""
        plans = [*self._owned(engine, layout), *self._series(engine, layout)]
        own = EventSources({name: at for at, name in enumerate(self._columns)})
        tables: dict[int, Table] = {
            codes.OWN_SOURCES: [own.of(field) for field in engine.own],
            codes.OWN_TESTS: own.tests,
            codes.OWN_COLUMNS: [own.columns.used],
            codes.PLANS: [(0,) * codes.PLAN_LINE for _ in plans],
            codes.FORMULAS: engine.formulas,
        }
        lines = _lines(plans, len(_packed(tables)), len(engine.defaults))
        self.numbers: Ints = np.concatenate(
            [_packed(tables | {codes.PLANS: lines}), *(plan.numbers for plan, _ in plans)]
        )
        self.factors: Floats = np.concatenate(
            [engine.defaults, *(plan.factors.reshape(-1) for plan, _ in plans)]
        )

    def _owned(self, engine: Engine, layout: Layout) -> list[tuple[PackedPlan, tuple[int, ...]]]:
        """Plans of the customer and of pairs with one, and where what they read lies."""
        found: list[tuple[PackedPlan, tuple[int, ...]]] = []
        for entity, plan in engine.plans.items():
            if entity.state == "events":
                is_customer = entity == CUSTOMER
                tiles = FOLDED if is_customer else FOLDED + 1 + self.pairs.index(entity)
                pair = -1 if is_customer else self._columns.index(entity.keys[1])
                packed = PackedPlan(plan, entity, summary_of(layout, entity), layout)
                found.append((packed, (tiles, RECORDS, -1, pair)))
        return found

    def _series(self, engine: Engine, layout: Layout) -> list[tuple[PackedPlan, tuple[int, ...]]]:
        """The same for shared entities."""
        first = FOLDED + 1 + len(self.pairs)
        all_series = [(entity, one) for entity in self.shared for one in layout.shared[entity]]
        return [
            (
                PackedPlan(engine.plan(one.features), entity, one.summary, layout),
                (first + at, -1, codes.ASKED_OWNERS + self.shared.index(entity), -1),
            )
            for at, (entity, one) in enumerate(all_series)
        ]


def summary_of(layout: Layout, entity: Entity) -> Summary | None:
    """Of what is folded of a customer or of a pair with one; None: nothing is."""
    return layout.customer if entity == CUSTOMER else layout.pairs.get(entity)


def _packed(tables: dict[int, Table]) -> Ints:
    return one_array([tables[which] for which in range(codes.PROGRAM_TABLES)])


def _lines(
    plans: Sequence[tuple[PackedPlan, tuple[int, ...]]], at: int, factors_at: int
) -> list[tuple[int, ...]]:
    """A line for each plan; `at`, `factors_at`: where the first one begins."""
    lines = []
    for plan, reads in plans:
        features = plan.factors.shape[1]
        lines.append((at, len(plan.numbers), *reads, factors_at, features))
        at += len(plan.numbers)
        factors_at += 2 * features
    return lines
