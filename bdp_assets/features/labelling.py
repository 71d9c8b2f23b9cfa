"""Labels into a generation: placed, and added to the tiles of their merchants."""

from __future__ import annotations

from collections.abc import Sequence

from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.records import Label
from bdp_assets.features.label_places import place_labels
from bdp_assets.features.layout import Layout
from bdp_assets.features.shared import add_labels


def apply_labels(
    client: Redis, layout: Layout, labels: Sequence[Label], coordinates: Sequence[str | None]
) -> list[bool]:
    """Whether each label's transaction is known; others change nothing. See `OnlineStore.apply_labels`."""
    placed = place_labels(client, layout, labels)
    known = [(one, place) for one, place in zip(placed, coordinates, strict=True) if one is not None]
    add_labels(client, layout, [one for one, _ in known], [place for _, place in known])
    return [one is not None for one in placed]
