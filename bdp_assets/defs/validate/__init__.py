"""The contract is kept: clean transactions, and those in quarantine."""

from bdp_assets.defs import topics
from bdp_assets.defs.validate.assets import clean_transactions

ASSETS = [topics.validated_topic, topics.dlq_topic, clean_transactions]
