"""Which columns each feature is made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from bdp_assets.features.formulas import FILTERS, LABEL_FILTER
from bdp_assets.features.spec import Catalog, WindowFeature


class Origin(NamedTuple):
    """Columns of transactions that a feature reads, and whether it reads labels."""

    columns: frozenset[str]
    reads_labels: bool = False


def origins(catalog: Catalog) -> Mapping[str, Origin]:
    """Of every feature, in catalog order; what is made of other features is made of what they read."""
    found: dict[str, Origin] = {}
    for feature in catalog.features:
        if isinstance(feature, WindowFeature):
            found[feature.name] = _of_window(feature)
            continue
        inputs = [found.get(name, Origin(frozenset({name}))) for name in feature.inputs]
        columns = frozenset[str]().union(*(origin.columns for origin in inputs))
        found[feature.name] = Origin(columns, any(origin.reads_labels for origin in inputs))
    return found


def _of_window(feature: WindowFeature) -> Origin:
    reads_labels = feature.filter == LABEL_FILTER
    filtered = () if feature.filter is None or reads_labels else (FILTERS[feature.filter].column,)
    column = () if feature.column is None else (feature.column,)
    return Origin(frozenset({"ts_ms", *feature.entity.keys, *column, *filtered}), reads_labels)
