"""Features of whole tables, as corrected: every event counts by its event time, whenever it arrived."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import polars as pl

from bdp_assets.features.aggregates import Floats
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.kernel import Engine
from bdp_assets.features.spec import Catalog
from bdp_assets.features.table import Table, fills


def build_features(
    transactions: pl.DataFrame,
    labels: pl.DataFrame | None = None,
    catalog: Catalog = CATALOG,
    *,
    only: pl.Series | None = None,
) -> pl.DataFrame:
    """The feature vector of each transaction, point-in-time correct.

    `transactions`: validated rows in order of arrival (String customer_id, transaction_id, and the catalog's
    `ids`, null where there is none and absent where there never is; Int64 ts_ms in UTC ms,
    amount_base_minor). `labels`: String customer_id, transaction_id,
    Boolean is_fraud, Int64 known_at_ms; None when nothing is known. `only`: Boolean mask of the rows to
    answer (all rows are history).

    Returns transaction_id, customer_id, ts_ms and one finite Float64 column a feature, in catalog order;
    one row for each row asked, in their order. Raises ValueError when a number is outside its column's
    range.
    """
    table = Table.of(transactions, labels if catalog.reads_labels else None, catalog.ids)
    asked = None if only is None else only.to_numpy()
    engine = Engine(catalog)
    rows = len(transactions) if asked is None else int(asked.sum())
    # Where nothing lacks a key, every cell will be written: no need to fill in defaults first.
    complete = all(table.is_complete(entity) for entity in engine.plans)
    matrix = np.empty((len(catalog.names), rows)) if complete else engine.empty(rows)
    # Sorting and the kernel let go of the interpreter.
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        sorting = [threads.submit(fills, plan, table, entity, asked) for entity, plan in engine.plans.items()]
        parts = [part for job in sorting for part in job.result()]
        for _ in threads.map(lambda part: part(matrix), parts):
            pass
    numbers = table.columns if asked is None else {n: values[asked] for n, values in table.columns.items()}
    engine.finish(matrix, numbers)
    keys = transactions.select("transaction_id", "customer_id", "ts_ms")
    answered = keys if only is None else keys.filter(only)
    return answered.with_columns(_columns(catalog, matrix))


def _columns(catalog: Catalog, matrix: Floats) -> list[pl.Series]:
    return [pl.Series(name, np.ascontiguousarray(matrix[i])) for i, name in enumerate(catalog.names)]
