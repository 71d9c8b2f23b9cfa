"""The registry's part: models whose snapshots lose rows say so, and no example is a row of somebody's.

The model itself stays. It is trees over many customers' figures and names nobody; a new training does not
have the customer's rows.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from bdp_assets.clients.registry import SNAPSHOT, SNAPSHOT_ERASED, RegisteredVersion, Registry
from bdp_assets.settings import Settings
from bdp_assets.training.from_lake import versions_of


def find(settings: Settings, tables: Collection[str]) -> Sequence[str]:
    """Versions that were trained on earlier versions of these tables. Raises RegistryUnavailable."""
    found = Registry.of(settings).versions()
    return [model.version for model in found if _loses(model, tables)]


def erase(settings: Settings, tables: Collection[str]) -> tuple[int, int]:
    """How many versions are marked now, and of how many the example was broken up.

    Before the lake changes, so that no snapshot is gone without a word. Raises RegistryUnavailable.
    """
    registry = Registry.of(settings)
    versions = registry.versions()
    lost = [model for model in versions if _loses(model, tables)]
    for model in lost:
        of = ", ".join(sorted(versions_of(model.tags[SNAPSHOT]) or {}))
        today = f"{datetime.now(UTC):%Y-%m-%d}"
        registry.note_erased(model.version, f"{today}: an erased customer's rows were removed from {of}")
    return len(lost), sum(registry.break_up_example(model.version) for model in versions)


def _loses(model: RegisteredVersion, tables: Collection[str]) -> bool:
    named = versions_of(model.tags.get(SNAPSHOT, "")) or {}
    return SNAPSHOT_ERASED not in model.tags and not named.keys().isdisjoint(tables)
