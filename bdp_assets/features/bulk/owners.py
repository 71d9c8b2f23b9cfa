"""Which features are worked out together: those of entities whose first key is the same column.

A customer's bucket holds all of the customer's events, so also those of pairs with the customer; a merchant's
bucket holds all of the merchant's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from bdp_assets.features.formulas import COLUMNS
from bdp_assets.features.spec import Catalog, Entity, WindowFeature
from bdp_assets.features.times import ALL_HISTORY


@dataclass(frozen=True)
class Owner:
    """`key`: the column that decides the bucket; `catalog`: its windows, in the order of the whole."""

    key: str
    catalog: Catalog

    @cached_property
    def ids(self) -> tuple[str, ...]:
        """The text columns that its windows read."""
        return tuple(sorted({self.key, *self.catalog.ids}))

    @cached_property
    def schema(self) -> pl.Schema:
        """Rows of its buckets. `row`: order of arrival, and place in the output where it is not negative."""
        numbers = {name: pl.Int64() for name in COLUMNS}
        texts = {name: pl.String() for name in self.ids}
        return pl.Schema({"row": pl.Int64(), "is_event": pl.Boolean(), **numbers, **texts})

    @cached_property
    def label_schema(self) -> pl.Schema:
        """Label changes in its buckets, each with what it is about."""
        numbers = {name: pl.Int64() for name in ("ts_ms", "sign", "known_at_ms")}
        return pl.Schema({self.key: pl.String(), **numbers})

    @cached_property
    def endless(self) -> tuple[Entity, ...]:
        """Entities with a window over all history."""
        windows = self.catalog.windows
        return tuple(dict.fromkeys(f.entity for f in windows if f.window == ALL_HISTORY))

    @property
    def reach(self) -> int:
        """How far before a transaction its windows begin, or for those over all history end (ms)."""
        return max(_reach(feature) for feature in self.catalog.windows)


def owners_of(catalog: Catalog) -> tuple[Owner, ...]:
    owned: dict[str, list[WindowFeature]] = {}
    for feature in catalog.windows:
        owned.setdefault(feature.entity.keys[0], []).append(feature)
    return tuple(Owner(key, Catalog(tuple(features))) for key, features in owned.items())


def _reach(feature: WindowFeature) -> int:
    window = 0 if feature.window == ALL_HISTORY else feature.window
    return feature.delay + window + (feature.hop or 0)
