"""Features that know something too early, found by what they do and not by how they are written.

A sample of transactions is computed with the labels that were known at their time, and again with one thing
changed: with all that was thought then turned over a millisecond later, and without later transactions. A
feature that *moves* by the first reads labels nobody knew; one that looks *ahead* changes by the second. That
is a proof, since nothing else was changed. Beside that, a stored value that *differs* from the first
computation does not follow from what was known: it holds such knowledge, or is older than the transactions.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import polars as pl

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.spec import Catalog
from bdp_assets.training.split import KEY
from bdp_assets.training.telling import telling_rows
from bdp_assets.training.worlds import worlds_of

SAMPLE = 200
COUNTS = ("compared", "moved", "ahead", "differs")


class Builder(Protocol):
    """`features.batch.build_features`, or whatever takes its place."""

    def __call__(
        self, transactions: pl.DataFrame, labels: pl.DataFrame | None, *, only: pl.Series | None
    ) -> pl.DataFrame: ...


class History(NamedTuple):
    """What features are made of: transactions in order of arrival with the catalog's columns, all labels."""

    transactions: pl.DataFrame
    labels: pl.DataFrame


def early_labels(
    stored: pl.DataFrame,
    history: History,
    *,
    build: Builder = build_features,
    catalog: Catalog = CATALOG,
    sample: int = SAMPLE,
) -> pl.DataFrame:
    """A row for each feature: feature, compared, moved, ahead, differs (rows of the sample).

    `stored`: KEY, ts_ms and the features as a model reads them. `history` must hold all that they can see.
    """
    names = catalog.names
    known_by = {"customer_id", *(entity.keys[0] for entity in catalog.entities)}
    ids = sorted(known_by & set(history.transactions.columns))
    once = stored.filter(~pl.struct(KEY).is_duplicated())
    worlds = worlds_of(telling_rows(once, *history, ids, sample), *history, ids)
    nothing = {"feature": names, **dict.fromkeys(COUNTS, 0)}
    if worlds.keys.is_empty():
        return pl.DataFrame(nothing)
    honest = build(worlds.transactions, worlds.known, only=worlds.asked)
    turned = build(worlds.transactions, pl.concat([worlds.known, worlds.turned]), only=worlds.asked)
    ended = build(
        worlds.transactions.filter(worlds.past), worlds.known, only=worlds.asked.filter(worlds.past)
    )
    was = worlds.keys.join(once, on=KEY, how="left", maintain_order="left")
    return pl.DataFrame(
        {
            "feature": names,
            "compared": [len(was)] * len(names),
            "moved": [_differing(honest[name], turned[name]) for name in names],
            "ahead": [_differing(honest[name], ended[name]) for name in names],
            "differs": [_differing(honest[name], was[name]) for name in names],
        }
    )


def _differing(one: pl.Series, other: pl.Series) -> int:
    """In how many rows two columns have other bits."""
    left, right = (column.to_numpy().astype(np.float64).view(np.int64) for column in (one, other))
    return int((left != right).sum())
