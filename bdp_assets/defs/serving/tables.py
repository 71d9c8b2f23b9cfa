"""Tables of what was decided."""

import dagster as dg

from bdp_assets.contracts import topics
from bdp_assets.defs.freshness import LIVE
from bdp_assets.defs.partitions import follow_upstream
from bdp_assets.defs.tables import MODEL_TEAM, table_spec
from bdp_assets.defs.topics import topic_key

PREDICTIONS = table_spec(
    ["serving", "predictions"],
    "predictions",
    replaces="decided_by = 'batch'",
    deps=[
        ["clean", "enriched_transactions"],
        ["serving", "model_bundle"],
        topic_key(topics.PREDICTIONS),
    ],
    description="One decision a transaction: as the API or the stream made it, or for history by the batch "
    "scorer with the champion of the time it ran.",
    freshness=LIVE,
)
BATCH_SCORES = table_spec(
    ["serving", "batch_scores"],
    "scores",
    replaces=None,
    deps=[["features", "transactions"], ["serving", "model_bundle"]],
    description="What the champion says of each transaction by its features **as corrected**: probability "
    "and the policy's decision, without rules. Beside `predictions`, which were made by features as served, "
    "it shows what late events and a new model change.",
    owner=MODEL_TEAM,
    kinds={"deltalake", "polars", "onnx"},
)
SHADOW_SCORES = table_spec(
    ["serving", "shadow_scores"],
    "shadow_scores",
    replaces=None,
    deps=[["serving", "predictions"], ["models", "fraud_ensemble"]],
    description="What the challenger makes of each live decision, by the feature vector that the decision "
    "was made with: score and decision of both. It follows what lands, so nobody waits for it; a decision "
    "is scored once for each version and policy of a challenger.",
    owner=MODEL_TEAM,
    kinds={"deltalake", "onnx"},
    # A new challenger scores what lands from now on, and the days that it is asked for.
    automation_condition=follow_upstream(but=dg.AssetSelection.assets(["models", "fraud_ensemble"])),
)
ALERTS = table_spec(
    ["serving", "alerts"],
    "alerts",
    replaces=None,
    deps=[topic_key(topics.ALERTS)],
    description="Alerts as they grew: a row for each transaction that an analyst has to look at. Of an "
    "alert_id, the highest revision is how it stands. Only the live door writes here.",
    kinds={"deltalake"},
)
