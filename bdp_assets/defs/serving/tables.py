"""Tables of what was decided."""

from bdp_assets.contracts import topics
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
ALERTS = table_spec(
    ["serving", "alerts"],
    "alerts",
    replaces=None,
    deps=[topic_key(topics.ALERTS)],
    description="Alerts as they grew: a row for each transaction that an analyst has to look at. Of an "
    "alert_id, the highest revision is how it stands. Only the live door writes here.",
    kinds={"deltalake"},
)
