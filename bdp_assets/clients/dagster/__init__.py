"""Dagster's control plane: its assets and checks, and runs of its jobs, over its webserver's GraphQL."""

from bdp_assets.clients.dagster.assets import (
    AssetState,
    ControlPlaneState,
    each_state,
    materialised_days,
    state,
)
from bdp_assets.clients.dagster.graphql import ControlPlaneUnavailable
from bdp_assets.clients.dagster.runs import Event, Page, launch, output, page, under_way

__all__ = [
    "AssetState",
    "ControlPlaneState",
    "ControlPlaneUnavailable",
    "Event",
    "Page",
    "each_state",
    "launch",
    "materialised_days",
    "output",
    "page",
    "state",
    "under_way",
]
