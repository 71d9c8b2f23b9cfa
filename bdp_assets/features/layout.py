"""Where a catalog's state lies in the online store, and how much of it is kept.

Under `bdp:features:<catalog version>:`, so that a new catalog fills beside the old one:

    {c:<customer>}:e        the customer's recent events in one packed string, which are also their claims
    {c:<customer>}:d:<key>  the decision about a transaction, once one is saved
    {m:<merchant>}          the merchant's tiles, and how far each source partition was added to them
    {m:<merchant>}:l        the merchant's transactions that are known fraud
    ready                   set by a rebuild: a store without it is empty, whatever the customers did

What stands in braces decides the cluster slot: all keys of a customer, or of a merchant, lie together.
"""

from __future__ import annotations

from bdp_assets.features.checks import SpecError
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.history import EVENTS, Measure
from bdp_assets.features.kernel import Engine
from bdp_assets.features.records import transaction_key
from bdp_assets.features.spec import DAY, MERCHANT, Catalog

MOST_EVENTS = 10_000
"""Events of a customer that windows can see: of more than that the ones applied first are left out."""
SPARE_EVENTS = 2_000
"""Events kept behind those, so that a micro-batch which is delivered again sees what it saw at first."""


class Layout:
    """Keys, retention (ms of event time behind the newest event) and tiles of one catalog's state."""

    def __init__(self, engine: Engine) -> None:
        catalog = engine.catalog
        self.prefix = f"bdp:features:{catalog.version}:"
        self.ready = f"{self.prefix}ready"
        self.events_ms = catalog.retention("events")
        self.tiles_ms = catalog.retention("tiles")
        self.tile_ms = _tile_size(catalog)
        plan = engine.plans.get(MERCHANT)
        self.measures: tuple[Measure, ...] = (EVENTS, *plan.measures) if plan else (EVENTS,)
        _refuse_labelled_columns(self.measures)
        self.label_delays = sorted({m.delay for m in self.measures if m.filter == LABEL_FILTER})

    def events(self, customer_id: str) -> str:
        return f"{self.prefix}{{c:{customer_id}}}:e"

    def decision(self, customer_id: str, transaction_id: str) -> str:
        return f"{self.prefix}{{c:{customer_id}}}:d:{transaction_key(transaction_id).hex()}"

    def tiles(self, merchant_id: str) -> str:
        return f"{self.prefix}{{m:{merchant_id}}}"

    def frauds(self, merchant_id: str) -> str:
        return f"{self.prefix}{{m:{merchant_id}}}:l"


def _refuse_labelled_columns(measures: tuple[Measure, ...]) -> None:
    for measure in measures:
        if measure.filter == LABEL_FILTER and measure.column is not None:
            raise SpecError(
                f"{measure.column} where {LABEL_FILTER}: labels carry no amount to sum, only counts"
            )


def _tile_size(catalog: Catalog) -> int:
    """The one hop of all tiled windows, ms (a day where there are none)."""
    size = None
    for feature in catalog.entities.get(MERCHANT, ()):
        size = size or feature.hop
        if feature.hop is None or feature.hop != size:
            raise SpecError(f"{feature.name}: online, all windows of a merchant need one and the same hop")
    return size or DAY
