"""What is known of the model that serves, for who proposes to train it anew. Loads nothing heavy."""

from __future__ import annotations

from dataclasses import dataclass, fields

from bdp_assets.clients.postgres import as_objects, session
from bdp_assets.monitoring.performance.decay import Decay
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings

DECAY = "warehouse.model_decay"
_LATEST = f"""
    SELECT {", ".join(field.name for field in fields(Decay))}
    FROM {DECAY} WHERE model_version = %s ORDER BY as_of DESC LIMIT 1
"""  # noqa: S608 - names of our own


@dataclass(frozen=True)
class Serving:
    """The model that serves on this machine. `decay`: what was last said of it; None while nothing was."""

    version: str
    trained_at_ms: int
    decay: Decay | None


def serving(settings: Settings) -> Serving:
    """Raises BundleError (no model serves here, or it is damaged), WarehouseUnavailable."""
    info = Bundle.read(LocalBundles(settings.models_dir).find(None)).info
    with session(settings) as connection:
        decays = as_objects(connection, Decay, _LATEST, [info.version])
    return Serving(info.version, info.trained_at_ms, next(iter(decays), None))
