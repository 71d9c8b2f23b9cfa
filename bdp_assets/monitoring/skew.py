"""Online against offline: the features that were served, recomputed from the lake, feature by feature.

A value is *equal* when it has the same bits as corrected: every event by event time. It is *late* when it has
the bits of the recomputation as served: from the events that the store had applied before (by the apply
sequence it gave out), and from what labels had told shared entities at some earlier moment. What is neither
is *unexplained*: a defect.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from bdp_assets.features.aggregates import Floats
from bdp_assets.features.batch import build_features
from bdp_assets.features.fields import Bools
from bdp_assets.features.formulas import COLUMNS
from bdp_assets.features.kernel import Engine
from bdp_assets.features.labels import KEY
from bdp_assets.features.replay import as_served
from bdp_assets.features.spec import MERCHANT_ID, Catalog, Entity

EARLIER_MOMENTS = 50
"""How many moments before the transaction are tried, at each of which a label became known."""


@dataclass(frozen=True)
class Skew:
    """`features`: a row each with the columns feature, compared, equal, late, unexplained."""

    features: pl.DataFrame

    def total(self, column: str) -> int:
        return int(self.features[column].sum())


def skew(
    catalog: Catalog,
    served: pl.DataFrame,
    history: pl.DataFrame,
    labels: pl.DataFrame,
    untold: Collection[str] = (),
) -> Skew:
    """Compare `served` rows: keys, apply_seq, the catalog's columns, and the features as they were served.

    `history`: all transactions that these can see, themselves among them, with apply_seq and the catalog's
    columns. `labels`: as for `build_features`. `untold`: merchants of which the history does not say all;
    what is made of them is not compared.
    """
    names = list(catalog.names)
    history = history.sort("ts_ms", maintain_order=True)
    asked = history.select(KEY).join(
        served.select(*KEY, pl.lit(value=True).alias("asked")), on=KEY, how="left", maintain_order="left"
    )
    only = asked["asked"].fill_null(value=False)
    corrected = build_features(history, labels, catalog, only=only)
    served = history.filter(only).select(KEY).join(served, on=KEY, maintain_order="left")
    was, should = served.select(names).to_numpy(), corrected.select(names).to_numpy()
    equal = _same(was, should)
    again = should.copy()
    rows = np.flatnonzero(~equal.all(axis=1))
    if len(rows):
        again[rows] = _again(catalog, served[rows.tolist()], should[rows], history, labels)
    late = ~equal & _same(was, again)
    known = ~(
        served[MERCHANT_ID].is_in(list(untold)).fill_null(value=False).to_numpy()[:, np.newaxis]
        & np.array([name in catalog.shared for name in names])
    )
    return Skew(
        pl.DataFrame(
            {
                "feature": names,
                "compared": known.sum(axis=0),
                "equal": (known & equal).sum(axis=0),
                "late": (known & late).sum(axis=0),
                "unexplained": (known & ~equal & ~late).sum(axis=0),
            }
        )
    )


def _same(a: Floats, b: Floats) -> Bools:
    """Where two matrices have the same bits."""
    left, right = (np.ascontiguousarray(one).view(np.int64) for one in (a, b))
    same: Bools = left == right
    return same


def _again(
    catalog: Catalog, served: pl.DataFrame, corrected: Floats, history: pl.DataFrame, labels: pl.DataFrame
) -> Floats:
    """As served, for some rows: float64 [rows, features]."""
    applied = history.join(served.select("customer_id").unique(), on="customer_id", how="semi")
    matrix = as_served(catalog, applied, served)
    slots = {name: slot for slot, name in enumerate(catalog.names)}
    for entity, features in catalog.entities.items():
        if entity.state == "tiles":
            mine = [slots[feature.name] for feature in features]
            matrix[:, mine] = corrected[:, mine]
            _match_earlier(catalog, entity, matrix, served, history, labels)
    engine, columns = Engine(catalog), {name: served[name].to_numpy() for name in COLUMNS}
    turned = np.ascontiguousarray(matrix.T)
    engine.finish(turned, columns)
    return turned.T


def _match_earlier(  # noqa: PLR0913, PLR0917 - one step of `_again`
    catalog: Catalog,
    entity: Entity,
    matrix: Floats,
    served: pl.DataFrame,
    history: pl.DataFrame,
    labels: pl.DataFrame,
) -> None:
    """Where a shared entity's windows differ, put in those of the latest earlier moment that does not."""
    windows = Catalog(catalog.entities[entity])
    mine = [catalog.names.index(name) for name in windows.names]
    was = served.select(windows.names).to_numpy()
    for row in np.flatnonzero(~_same(was, matrix[:, mine]).all(axis=1)).tolist():
        one = served[row]
        events = history.filter(pl.col(entity.keys[0]) == one[entity.keys[0]])
        for values in _earlier(windows, one, events, labels):
            if _same(values, was[row : row + 1]).all():
                matrix[row, mine] = values[0]
                break


def _earlier(
    windows: Catalog, one: pl.DataFrame, events: pl.DataFrame, labels: pl.DataFrame
) -> Iterator[Floats]:
    """The row's windows with the labels that were known at earlier moments, the latest first."""
    known = labels.join(events.select(KEY), on=KEY, how="semi")
    before = known.filter(pl.col("known_at_ms") <= one["ts_ms"][0])
    moments: Sequence[int] = before["known_at_ms"].unique().sort(descending=True).to_list()
    only = (events["customer_id"] == one["customer_id"][0]) & (
        events["transaction_id"] == one["transaction_id"][0]
    )
    for moment in moments[:EARLIER_MOMENTS]:
        then = known.filter(pl.col("known_at_ms") < moment)
        yield build_features(events, then, windows, only=only).select(windows.names).to_numpy()
