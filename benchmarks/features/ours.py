"""Ours: the platform's own batch engine, as assets call it."""

from __future__ import annotations

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import HANDBOOK
from benchmarks.features.data import Columns, Given


def features(given: Given) -> Columns:
    built = build_features(given.transactions, given.labels, HANDBOOK)
    return {name: built[name].to_numpy() for name in HANDBOOK.names}
