"""Where a label counts: at the time and with the merchant (or another shared entity) of its transaction.

The store's own record of the transaction says so. Records leave the store in time; then a label has to bring
what it is about itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bdp_assets.clients.redis import Redis, run
from bdp_assets.contracts.records import Label
from bdp_assets.features.generations import MOVED, StoreMoved
from bdp_assets.features.layout import Layout
from bdp_assets.features.records import Events, find_record, id_hash
from bdp_assets.features.spec import Entity


class Placed(NamedTuple):
    """A label with the time of its transaction (ms) and the hashes of its ids: only those it has."""

    label: Label
    ts_ms: int
    ids: Mapping[Entity, int]


def place_labels(client: Redis, layout: Layout, labels: Sequence[Label]) -> list[Placed | None]:
    """Each label's place, in order; None where neither store nor label know it. Raises StoreUnavailable,
    StoreMoved."""
    customers = list(dict.fromkeys(label.customer_id for label in labels))
    replies = run(client, [("GET", layout.events(customer_id)) for customer_id in customers])
    if MOVED in replies:
        raise StoreMoved("the online store was rebuilt meanwhile: labels go to what serves now")
    packed = {customer: reply or b"" for customer, reply in zip(customers, replies, strict=True)}
    return [_placed(layout, packed[label.customer_id], label) for label in labels]


def _placed(layout: Layout, packed: bytes, label: Label) -> Placed | None:
    record = find_record(packed, label.transaction_id, layout.ids)
    if record is not None:
        event = Events.unpack([record], layout.ids)
        known = {name: int(event.columns[name][0]) for name in layout.ids}
        return Placed(label, int(event.ts[0]), _ids(layout, known))
    if label.ts_ms is None or label.merchant_id is None:
        return None
    return Placed(label, label.ts_ms, _ids(layout, {"merchant_id": id_hash(label.merchant_id)}))


def _ids(layout: Layout, known: Mapping[str, int]) -> dict[Entity, int]:
    codes = {entity: known.get(entity.keys[0], -1) for entity in layout.shared}
    return {entity: code for entity, code in codes.items() if code >= 0}
