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
falls in, the tile in progress is never read, and times since an event count from the start of its tile.
`ALL_HISTORY` is a window without a start.

Every accepted transaction is an event, whatever was decided about it. Transactions with the same customer
and transaction_id are one event: the first to arrive. A transaction without the entity's key (no merchant)
gets the feature's `default`, and so does an aggregate that has no answer on an empty window (a mean, a time
since last). Of events at the same time, the last is the one that arrived last.

`known_fraud` is a label filter: it counts an event once its label is known, in windows with the `delay`
that labels usually take. Its clock is `max(ts, known_at - delay)` in place of `e.ts`: an event whose label
came on time counts at its own time, one whose label came late counts late. A label that is taken back is a
later event that takes one away again at its own clock, unless the fraud had been known for longer than
`REVERSIBLE`. A share never goes below 0. For times since a known fraud, a tile holds one when more frauds
became known in it than were taken back.

A run (`run_count`, `seconds_since_run`) is the end of a window: the matches in tiles of `hop` in each of
which at least as many events matched as happened, after the last tile where fewer did. A fraud whose label
came late counts in a later tile than it happened in, where it was good at first; a label taken back is one
less.

A customer's last `EXACT_EVENTS` events are exact. Earlier ones are `folded`: they lie in windows as if they
had happened at the start of their `FOLD` of time, and do not count in distinct counts and in windows of the
customer's pairs (but in those over all history, where they are of no time: of them, the last is the one that
arrived last). That bounds what one busy customer can cost.

Two answers follow. *As corrected* (batch) reads every event by event time. *As served* (online) reads the
events that the store had applied before this one, and of those only what it retains (see `online`). On input
that comes in order, to shared entities within their delay, the two are equal to the last bit.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Literal

from bdp_assets.features.checks import check_entity, check_order, check_row, check_window
from bdp_assets.features.formulas import COLUMNS, LABEL_FILTER
from bdp_assets.features.times import ALL_HISTORY, DAY, HOUR, LONGEST_WINDOW, span

REVERSIBLE = LONGEST_WINDOW
"""How long after it became known a fraud can be taken back (ms): later, no window holds it."""
SLACK = 7 * DAY
"""How late an event may come, or come again, and still find its whole windows in the online store (ms)."""
EXACT_EVENTS = 2_000
"""How many of a customer's last events are exact."""
FOLD = HOUR
"""To what earlier events of a customer are floored (ms)."""

State = Literal["events", "tiles"]
_SEMANTICS = 2  # Part of every catalog version: raise it when the arithmetic changes what a feature means.


@dataclass(frozen=True)
class Entity:
    """Whose history a window reads. Raises SpecError.

    `state`: what the online store keeps of it. `events`, exact, for the customer and for pairs with one: a
    customer's messages are all in one partition. `tiles` for what all partitions share, as merchants: their
    windows need a `hop`, and a `delay` that outlasts the slowest worker.
    """

    name: str
    keys: tuple[str, ...]
    state: State

    def __post_init__(self) -> None:
        check_entity(self)


CUSTOMER = Entity("customer", ("customer_id",), "events")
CUSTOMER_MERCHANT = Entity("customer_merchant", ("customer_id", "merchant_id"), "events")
CUSTOMER_DEVICE = Entity("customer_device", ("customer_id", "device_id"), "events")
MERCHANT_ID = "merchant_id"
MERCHANT = Entity("merchant", (MERCHANT_ID,), "tiles")
DEVICE = Entity("device", ("device_id",), "tiles")


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
    def windows(self) -> tuple[WindowFeature, ...]:
        return tuple(feature for feature in self.features if isinstance(feature, WindowFeature))

    @cached_property
    def entities(self) -> Mapping[Entity, tuple[WindowFeature, ...]]:
        """The window features of each entity, in catalog order."""
        found: dict[Entity, tuple[WindowFeature, ...]] = {}
        for feature in self.windows:
            found[feature.entity] = (*found.get(feature.entity, ()), feature)
        return found

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The text columns beside customer_id that windows read: keys of entities, and what is counted."""
        keys = (key for entity in self.entities for key in entity.keys[entity.state == "events" :])
        counted = (f.column for f in self.windows if f.aggregate == "distinct" and f.column is not None)
        return tuple(sorted({*keys, *counted}))

    @cached_property
    def shared(self) -> frozenset[str]:
        """Names of the features made of what all customers did at one merchant, device and so on."""
        found: set[str] = set()
        for feature in self.features:
            if isinstance(feature, WindowFeature):
                is_shared = feature.entity.state == "tiles"
            else:
                is_shared = not found.isdisjoint(feature.inputs)
            if is_shared:
                found.add(feature.name)
        return frozenset(found)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of a transaction that the features read, with its keys."""
        return ("transaction_id", "customer_id", *COLUMNS, *self.ids)

    @cached_property
    def reads_labels(self) -> bool:
        return any(feature.filter == LABEL_FILTER for feature in self.windows)

    @property
    def reach_days(self) -> int | None:
        """How many whole days before a transaction's own its features can look; None: without limit."""
        reach = max((f.delay + f.window + (f.hop or 0) for f in self.windows), default=0)
        return None if reach >= ALL_HISTORY else -(-reach // DAY)

    def describe(self) -> list[dict[str, str]]:
        """A row a feature, in order: name, definition, unit, description."""
        fields = ("name", "definition", "unit", "description")
        return [{field: getattr(feature, field) for field in fields} for feature in self.features]


def retention(features: tuple[WindowFeature, ...]) -> int:
    """Ms of event time which the online store keeps behind an entity's newest event, for these windows."""
    reach = [f.delay + (f.window if f.window != ALL_HISTORY else 0) for f in features]
    return max(reach, default=0) + SLACK


def _meaning(feature: Feature) -> dict[str, object]:
    fields = {name: value for name, value in asdict(feature).items() if name not in ("description", "unit")}
    return {"kind": type(feature).__name__, **fields}
