"""The model."""

from bdp_assets.defs.training.assets import fraud_ensemble

ASSETS = [fraud_ensemble]
