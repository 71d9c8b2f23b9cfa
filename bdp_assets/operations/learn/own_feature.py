"""Lesson 9: a feature of the learner's, computed by the platform's engine and by the learner's oracle alike.

The learner's file is run: it is theirs, on their machine, in their BDP_HOME.
"""

from __future__ import annotations

import math
import runpy
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.spec import Catalog, WindowFeature
from bdp_assets.operations.learn.lesson import Missing, folder
from bdp_assets.settings import Settings

FILE = "feature.py"
CUSTOMERS = 20
Row = Mapping[str, Any]


class Own(NamedTuple):
    """`oracle(row, earlier)`: the feature of a row, from the customer's rows that came before it."""

    feature: WindowFeature
    oracle: Callable[[Row, Sequence[Row]], float]


def look(settings: Settings) -> Iterator[Missing]:
    """Raises TableMissing, LakeUnavailable."""
    file = folder(settings) / FILE
    if not file.is_file():
        yield Missing(f"There is no {file}.", 1)
        return
    try:
        own = _load(file)
        asked, computed, expected = compare(own, _some_rows(settings))
    except Exception as error:  # noqa: BLE001 - whatever the learner's own code raises is shown to them
        yield Missing(f"{file} fails: {type(error).__name__}: {error}", 1)
        return
    yield from _judged(own.feature, asked, computed, expected)


def compare(own: Own, rows: pl.DataFrame) -> tuple[int, Sequence[float], Sequence[float]]:
    """Number of rows, the engine's values, the oracle's. `rows`: enriched transactions of whole customers."""
    catalog = Catalog((own.feature,))
    wanted = rows.select(catalog.columns).sort("ts_ms", "customer_id", "transaction_id")
    computed = build_features(wanted, catalog=catalog)[own.feature.name].to_list()
    earlier: dict[str, list[Row]] = {}
    expected = []
    for row in wanted.iter_rows(named=True):
        before = earlier.setdefault(row["customer_id"], [])
        expected.append(float(own.oracle(row, before)))
        before.append(row)
    return len(expected), computed, expected


def _load(file: Path) -> Own:
    names = runpy.run_path(str(file))
    if absent := {"FEATURE", "oracle"} - set(names):
        raise NameError(f"it does not define {' and '.join(sorted(absent))}")
    return Own(names["FEATURE"], names["oracle"])


def _some_rows(settings: Settings) -> pl.DataFrame:
    """All transactions of a few customers, the same ones each time."""
    enriched = Lake.of(settings).scan("enriched")
    some = enriched.select(pl.col("customer_id").unique().sort().head(CUSTOMERS)).collect()
    return enriched.filter(pl.col("customer_id").is_in(some["customer_id"].implode())).collect()


def _judged(
    feature: WindowFeature, asked: int, computed: Sequence[float], expected: Sequence[float]
) -> Iterator[Missing]:
    if feature.name in CATALOG.names:
        yield Missing(f"{feature.name} is in the catalog already: choose another name.", 1)
    wrong = sum(not math.isclose(a, b, rel_tol=1e-9) for a, b in zip(computed, expected, strict=True))
    if wrong:
        yield Missing(f"Engine and oracle differ in {wrong} of {asked} rows: one of them misreads a word.", 2)
    elif len(set(expected)) < 2:
        yield Missing(f"The feature is the same in all {asked} rows: it tells a model nothing.", 1)
