"""From the registry to the endpoint, and what was decided."""

from bdp_assets.defs import topics
from bdp_assets.defs.serving import analytics, assets, decisions, scores, shadow
from bdp_assets.defs.serving.tables import ALERTS

ASSETS = [
    topics.predictions_topic,
    topics.alerts_topic,
    topics.analytics_topic,
    assets.stream_worker,
    analytics.analytics_worker,
    analytics.window_figures,
    assets.model_bundle,
    assets.bento,
    assets.online_store,
    assets.fraud_api,
    decisions.predictions,
    scores.batch_scores,
    shadow.shadow_scores,
    shadow.shadow_comparison,
    decisions.warehouse,
    decisions.dead_letters,
    ALERTS,
]
CHECKS = [analytics.window_figures_equal_lake, decisions.predictions_replay]
