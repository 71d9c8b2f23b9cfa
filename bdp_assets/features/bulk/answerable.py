"""Which features rows can be asked that are no transactions: those of what they name."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from bdp_assets.features.formulas import COLUMNS, NUMBERS
from bdp_assets.features.spec import Catalog, Feature, WindowFeature


class Answerable(NamedTuple):
    """`left_out`: names of features, each with what it needs."""

    catalog: Catalog
    left_out: dict[str, str]


def answerable(catalog: Catalog, ids: Collection[str], has_amount: bool) -> Answerable:
    """Window features of entities that the ids name, with the row itself only where it has an amount; row
    features whose inputs there are."""
    known = {name for name in COLUMNS if has_amount or name not in NUMBERS}
    features: list[Feature] = []
    left_out: dict[str, str] = {}
    for feature in catalog.features:
        absent = _needs(feature, has_amount) - {*ids, *known}
        if absent:
            left_out[feature.name] = ", ".join(sorted(absent))
        else:
            known.add(feature.name)
            features.append(feature)
    return Answerable(Catalog(tuple(features)), left_out)


def _needs(feature: Feature, has_amount: bool) -> set[str]:
    if not isinstance(feature, WindowFeature):
        return set(feature.inputs)
    return {*feature.entity.keys, *(NUMBERS if feature.include_current and not has_amount else ())}
