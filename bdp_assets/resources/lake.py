"""The lake as a Dagster resource."""

import dagster as dg

from bdp_assets.clients.lake import Lake
from bdp_assets.settings import get_settings


class LakeResource(dg.ConfigurableResource[Lake]):
    """Delta tables of the platform; where they are is for the settings to say."""

    def open(self) -> Lake:
        return Lake.of(get_settings())
