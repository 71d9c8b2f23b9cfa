"""Transactions with the features that their decisions saw."""

from bdp_assets.defs import topics
from bdp_assets.defs.enrich.assets import enriched_transactions

ASSETS = [topics.enriched_topic, enriched_transactions]
