"""Features for training."""

from bdp_assets.defs.features.assets import transaction_features

ASSETS = [transaction_features]
