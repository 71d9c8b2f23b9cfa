"""What a feature is: the words the catalog is written in, and what they mean.

The meaning of a window
-----------------------
Times are UTC epoch milliseconds. For a transaction at time `t`, a `WindowFeature` is its aggregate over the
events `e` of the same entity that lie in the half-open span `start <= e.ts < end`:

    without hop:   start = t - delay - window + 1       end = t               where delay is 0
                                                        end = t - delay + 1   where it is more
    with hop:      start = floor(t - delay - window)    end = floor(t - delay)

where `floor` goes down to a whole multiple of `hop`. So without delay a transaction sees no others of its
own millisecond, and not itself unless `include_current`; the event exactly one window old is out. With a
hop both ends lie on tile edges: tiles of `hop` are all that has to be kept, an event belongs to the tile it
falls in, and the tile in progress is never read.

Every accepted transaction is an event, whatever was decided about it. Transactions with the same customer
and transaction_id are one event: the first to arrive. A transaction without the entity's key (no merchant)
gets the feature's `default`, and so does an aggregate that has no answer on an empty window (a mean, a time
since last).

`known_fraud` is a label filter: it counts an event once its label is known, in windows with the `delay`
that labels usually take. Its clock is `max(ts, known_at - delay)` in place of `e.ts`: an event whose label
came on time counts at its own time, one whose label came late counts late. A label that is taken back is a
later event that takes one away again at its own clock, unless the fraud had been known for longer than
`REVERSIBLE`. A share never goes below 0.

Two answers follow. *As corrected* (batch) reads every event by event time. *As served* (online) reads the
events that the store had applied before this one, and of those only what it retains (see `online`). On input
that comes in order, to merchants within their delay, the two are equal to the last bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from bdp_assets.features.checks import LONGEST_WINDOW, check_order, check_row, check_window

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

REVERSIBLE = LONGEST_WINDOW
"""How long after it became known a fraud can be taken back (ms): later, no window holds it."""
SLACK = 7 * DAY
"""How late an event may come, or come again, and still find its whole windows in the online store (ms)."""

State = Literal["events", "tiles"]
_SEMANTICS = 1  # Part of every catalog version: raise it when the arithmetic changes what a feature means.


@dataclass(frozen=True)
class Entity:
    """Whose history a window reads. `state` is what the online store keeps of it: exact events, or tiles."""

    name: str
    keys: tuple[str, ...]
    state: State


CUSTOMER = Entity("customer", ("customer_id",), "events")
CUSTOMER_MERCHANT = Entity("customer_merchant", ("customer_id", "merchant_id"), "events")
MERCHANT = Entity("merchant", ("merchant_id",), "tiles")


@dataclass(frozen=True, kw_only=True)
class WindowFeature:
    """An aggregate over an entity's events in a window before the transaction.

    `window`, `delay` and `hop` are ms. `scale` divides the result (100 turns minor into major units), not the
    `default`. Raises SpecError.
    """

    name: str
    entity: Entity
    aggregate: str
    window: int
    description: str
    unit: str
    column: str | None = None
    filter: str | None = None
    delay: int = 0
    hop: int | None = None
    include_current: bool = False
    scale: int = 1
    default: float = 0.0

    def __post_init__(self) -> None:
        check_window(self)

    @property
    def definition(self) -> str:
        parts = [f"{self.aggregate}({self.column or ''}) of {self.entity.name} over {span(self.window)}"]
        parts += [f"where {self.filter}"] if self.filter else []
        parts += [f"delay {span(self.delay)}"] if self.delay else []
        parts += [f"hop {span(self.hop)}"] if self.hop else []
        parts += ["with itself"] if self.include_current else []
        return ", ".join(parts)


@dataclass(frozen=True, kw_only=True)
class RowFeature:
    """A formula over columns of the transaction and features that stand above it. Raises SpecError."""

    name: str
    formula: str
    inputs: tuple[str, ...]
    description: str
    unit: str
    default: float = 0.0

    def __post_init__(self) -> None:
        check_row(self)

    @property
    def definition(self) -> str:
        return f"{self.formula}({', '.join(self.inputs)})"


Feature = WindowFeature | RowFeature
"""What a catalog is made of."""


@dataclass(frozen=True)
class Catalog:
    """An ordered set of features: their order is that of the feature vector. Raises SpecError."""

    features: tuple[Feature, ...]

    def __post_init__(self) -> None:
        check_order(self.features)

    @cached_property
    def names(self) -> tuple[str, ...]:
        return tuple(feature.name for feature in self.features)

    @cached_property
    def version(self) -> str:
        """12 hex characters of the meaning: another number changes it, a better description does not."""
        text = json.dumps([_SEMANTICS, [_meaning(feature) for feature in self.features]], sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:12]

    @cached_property
    def entities(self) -> Mapping[Entity, tuple[WindowFeature, ...]]:
        """The window features of each entity, in catalog order."""
        found: dict[Entity, tuple[WindowFeature, ...]] = {}
        for feature in self.features:
            if isinstance(feature, WindowFeature):
                found[feature.entity] = (*found.get(feature.entity, ()), feature)
        return found

    def retention(self, state: State) -> int:
        """Ms of event time which the online store keeps behind an entity's newest event."""
        reach = [f.delay + f.window for e, fs in self.entities.items() if e.state == state for f in fs]
        return max(reach, default=0) + SLACK

    def describe(self) -> list[dict[str, str]]:
        """A row a feature, in order: name, definition, unit, description."""
        fields = ("name", "definition", "unit", "description")
        return [{field: getattr(feature, field) for field in fields} for feature in self.features]


def span(ms: int) -> str:
    """A duration in its largest whole unit: 30d, 6h, 10min, 5s, 7ms."""
    for size, unit in ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")):
        if ms % size == 0:
            return f"{ms // size}{unit}"
    return f"{ms}ms"


def _meaning(feature: Feature) -> dict[str, object]:
    fields = {name: value for name, value in asdict(feature).items() if name not in ("description", "unit")}
    return {"kind": type(feature).__name__, **fields}
