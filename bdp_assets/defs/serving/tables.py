"""Tables of what was decided."""

from bdp_assets.contracts import topics
from bdp_assets.defs.tables import table_spec
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
ALERTS = table_spec(
    ["serving", "alerts"],
    "alerts",
    replaces=None,
    deps=[topic_key(topics.ALERTS)],
    description="Alerts as they grew: a row for each transaction that an analyst has to look at. Of an "
    "alert_id, the highest revision is how it stands. Only the live door writes here.",
    kinds={"deltalake"},
)
