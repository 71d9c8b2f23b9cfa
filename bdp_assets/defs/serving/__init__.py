"""From the registry to the endpoint, and what was decided."""

from bdp_assets.defs import topics
from bdp_assets.defs.serving import assets, decisions
from bdp_assets.defs.serving.tables import ALERTS

ASSETS = [
    topics.predictions_topic,
    topics.alerts_topic,
    assets.stream_worker,
    assets.model_bundle,
    assets.online_store,
    assets.fraud_api,
    decisions.predictions,
    decisions.warehouse,
    decisions.dead_letters,
    ALERTS,
]
