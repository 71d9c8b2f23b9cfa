"""What happened."""

from bdp_assets.defs.monitoring.assets import daily_summary
from bdp_assets.defs.monitoring.checks import online_offline_skew

ASSETS = [daily_summary]
CHECKS = [online_offline_skew]
