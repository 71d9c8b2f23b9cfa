"""What happened."""

from bdp_assets.defs.monitoring.assets import daily_summary

ASSETS = [daily_summary]
