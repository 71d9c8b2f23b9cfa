"""Data comes in: topics and files, and their raw tables."""

from bdp_assets.defs import topics
from bdp_assets.defs.ingest.assets import ADJUSTMENTS, raw_labels, raw_transactions
from bdp_assets.defs.sources import source_assets

ASSETS = [
    topics.payment_systems,
    topics.history_file,
    topics.corrections,
    topics.raw_topic,
    topics.labels_topic,
    topics.adjustments_topic,
    raw_transactions,
    raw_labels,
    ADJUSTMENTS,
    *source_assets(),
]
