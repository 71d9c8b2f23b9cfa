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
from bdp_assets.features.records import Events, find_claim, id_hash, record_width
from bdp_assets.features.spec import Entity


class Placed(NamedTuple):
    """A label with the time of its transaction (ms) and the hashes of its ids: only those it has."""

    label: Label
    ts_ms: int
    ids: Mapping[Entity, int]

    @property
    def known_at_ms(self) -> int:
        """Nothing is known before it happens, whatever a label says that lacks its transaction's time."""
        return max(self.label.known_at_ms, self.ts_ms)


def place_labels(client: Redis, layout: Layout, labels: Sequence[Label]) -> list[Placed | None]:
    """Each label's place, in order; None where neither store nor label know it. Raises StoreUnavailable,
    StoreMoved."""
    customers = list(dict.fromkeys(label.customer_id for label in labels))
    # Both in one command: a claim and its event come and go together.
    replies = run(client, [("MGET", layout.events(one), layout.claims(one)) for one in customers])
    if any(events == MOVED for events, _ in replies):
        raise StoreMoved("the online store was rebuilt meanwhile: labels go to what serves now")
    packed = dict(zip(customers, replies, strict=True))
    return [_placed(layout, packed[label.customer_id], label) for label in labels]


def _placed(layout: Layout, packed: Sequence[bytes | None], label: Label) -> Placed | None:
    """`packed`: its customer's events and claims."""
    events, claims = packed
    at = find_claim(claims or b"", label.transaction_id)
    if at is not None:
        size = 8 * record_width(layout.ids)
        event = Events.unpack([(events or b"")[at * size : (at + 1) * size]], layout.ids)
        known = {name: int(event.columns[name][0]) for name in layout.ids}
        return Placed(label, int(event.ts[0]), _ids(layout, known))
    if label.ts_ms is None or label.merchant_id is None:
        return None
    return Placed(label, label.ts_ms, _ids(layout, {"merchant_id": id_hash(label.merchant_id)}))


def _ids(layout: Layout, known: Mapping[str, int]) -> dict[Entity, int]:
    codes = {entity: known.get(entity.keys[0], -1) for entity in layout.shared}
    return {entity: code for entity, code in codes.items() if code >= 0}
