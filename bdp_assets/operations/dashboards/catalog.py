"""All dashboards, and the files that they are."""

from __future__ import annotations

from collections.abc import Mapping

from bdp_assets.operations.dashboards import grafana
from bdp_assets.operations.dashboards.api import API
from bdp_assets.operations.dashboards.business import BUSINESS
from bdp_assets.operations.dashboards.features import FEATURES
from bdp_assets.operations.dashboards.model import MODEL
from bdp_assets.operations.dashboards.platform import PLATFORM
from bdp_assets.operations.dashboards.quality import QUALITY
from bdp_assets.operations.dashboards.streams import STREAMS
from bdp_assets.runtime.monitoring import CONFIGURATION

FOLDER = CONFIGURATION / "grafana" / "dashboards"
DASHBOARDS = (PLATFORM, API, STREAMS, FEATURES, MODEL, QUALITY, BUSINESS)


def files() -> Mapping[str, str]:
    """Name of each file in `FOLDER` -> its content."""
    return {f"{each.name}.json": grafana.text(each) for each in DASHBOARDS}
