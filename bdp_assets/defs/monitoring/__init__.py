"""What happened, how models do, and what keeps the lake in order."""

from bdp_assets.defs.monitoring.assets import daily_summary
from bdp_assets.defs.monitoring.checks import online_offline_skew
from bdp_assets.defs.monitoring.drift import drift
from bdp_assets.defs.monitoring.performance import model_performance
from bdp_assets.defs.monitoring.quality import quality_report
from bdp_assets.defs.monitoring.upkeep import lake_upkeep

ASSETS = [daily_summary, drift, lake_upkeep, model_performance, quality_report]
CHECKS = [online_offline_skew]
