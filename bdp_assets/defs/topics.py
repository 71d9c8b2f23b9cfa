"""Where data begins: the Kafka topics and the history file, written by others."""

import dagster as dg

from bdp_assets.contracts import topics
from bdp_assets.contracts.topics import Topic
from bdp_assets.defs.presentation import column_schema
from bdp_assets.defs.sources import source_key
from bdp_assets.defs.tables import PLATFORM_TEAM
from bdp_assets.ingest.sources import entry
from bdp_assets.settings import get_settings

STREAM_WORKER = dg.AssetKey(["serving", "stream_worker"])
ANALYTICS_WORKER = dg.AssetKey(["serving", "analytics_worker"])

payment_systems = dg.AssetSpec(
    ["sources", "payment_systems"],
    description="Whoever sends card transactions and chargebacks: card networks, callers of the prediction "
    "API, `bdp traffic` on a laptop.",
    owners=[PLATFORM_TEAM],
)

_source = get_settings().history_source
history_file = dg.AssetSpec(
    ["sources", "history_file"],
    description="Transactions and labels of the past in a file: the simulator's, or your own "
    "(`BDP_HISTORY_FILE`, `BDP_HISTORY_MAPPING`, or `BDP_HISTORY_SOURCE`).",
    deps=[source_key(_source)] if _source in entry.names(get_settings()) else [],
    owners=[PLATFORM_TEAM],
    kinds={"parquet"},
)

corrections = dg.AssetSpec(
    ["sources", "corrections"],
    description="Rows of the past that people corrected and released from quarantine (`bdp quarantine`): "
    "each is a raw row of its day, beside those of the file.",
    owners=[PLATFORM_TEAM],
    kinds={"deltalake"},
    metadata={
        "dagster/table_name": "lake.corrections",
        "dagster/column_schema": column_schema("corrections", {}),
    },
)


def topic_key(topic: Topic) -> dg.AssetKey:
    """`transactions-raw-v1` is the asset kafka/transactions_raw_v1."""
    return dg.AssetKey(["kafka", topic.name.replace("-", "_")])


def _topic(topic: Topic, *written_by: dg.AssetKey) -> dg.AssetSpec:
    return dg.AssetSpec(
        topic_key(topic),
        deps=written_by,
        description=topic.description,
        owners=[PLATFORM_TEAM],
        kinds={"kafka"},
        metadata={
            "topic": topic.name,
            "schema": topic.schema,
            "partitions": topic.partitions,
            "retention_days": topic.retention_days,
        },
    )


raw_topic = _topic(topics.RAW, payment_systems.key, *map(source_key, entry.names(get_settings())))
adjustments_topic = _topic(topics.ADJUSTMENTS, payment_systems.key)
labels_topic = _topic(topics.LABELS, payment_systems.key)
validated_topic = _topic(topics.VALIDATED, STREAM_WORKER)
dlq_topic = _topic(topics.DLQ, STREAM_WORKER)
enriched_topic = _topic(topics.ENRICHED, STREAM_WORKER)
predictions_topic = _topic(topics.PREDICTIONS, STREAM_WORKER)
alerts_topic = _topic(topics.ALERTS, STREAM_WORKER)
analytics_topic = _topic(topics.ANALYTICS, ANALYTICS_WORKER)
