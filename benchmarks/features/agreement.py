"""Do the sides answer the same? Times of sides that compute different things compare nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.runtime.problems import Problem
from benchmarks.features import duckdb_peer, numpy_floor, ours, pandas_peer
from benchmarks.features.data import Columns, Given

TOLERANCE = 1e-9


class Answer(NamedTuple):
    """Features of some rows of the whole."""

    rows: NDArray[np.int64]
    columns: Columns


def agreed(given: Given, sample: pandas_peer.Sample) -> dict[str, Any]:
    """How far each side is from ours at most. Raises Problem where that is more than the tolerance.

    In pandas, of a customer's transactions in one second the later rows see the earlier ones; with us and the
    other sides they see none of each other. Those rows are excepted there.
    """
    own = ours.features(given)
    everywhere, untied = np.arange(given.rows), np.flatnonzero(~_tied(given))
    answers = {
        "numpy": _among(Answer(everywhere, numpy_floor.features(given)), everywhere),
        "duckdb": _among(Answer(everywhere, duckdb_peer.features(given)), everywhere),
        "handbook_customers": _among(_of_pandas(pandas_peer.of_customers(sample.customers)), untied),
        "handbook_terminals": _among(_of_pandas(pandas_peer.of_terminals(sample.terminals)), everywhere),
    }
    differences = {name: largest_difference(own, answer) for name, answer in answers.items()}
    _refuse(differences)
    return {
        "tolerance": TOLERANCE,
        "rows": {name: len(answer.rows) for name, answer in answers.items()},
        "largest_difference": differences,
        "ties_excepted": given.rows - len(untied),
    }


def largest_difference(own: Columns, answer: Answer) -> float:
    """The largest distance between two numbers of one row and feature; NaN where a number is missing."""
    gaps = [
        np.abs(values - own[name][answer.rows]).max(initial=0.0) for name, values in answer.columns.items()
    ]
    return float(np.max(gaps))


def _refuse(differences: Mapping[str, float]) -> None:
    wrong = {name: gap for name, gap in differences.items() if not gap <= TOLERANCE}
    if wrong:
        told = ", ".join(f"{name} by {gap:.3g}" for name, gap in wrong.items())
        raise Problem(
            f"The sides answer different things: {told}.", "Mend that first; their times mean nothing."
        )


def _among(answer: Answer, rows: NDArray[np.int64]) -> Answer:
    kept = np.isin(answer.rows, rows)
    return Answer(answer.rows[kept], {name: values[kept] for name, values in answer.columns.items()})


def _of_pandas(built: pandas_peer.Built) -> Answer:
    names = [name for name in built.columns if name.endswith("_WINDOW")]
    columns = {name: built[name].to_numpy(dtype=np.float64) for name in names}
    return Answer(built["ROW"].to_numpy(dtype=np.int64), columns)


def _tied(given: Given) -> NDArray[np.bool_]:
    return given.transactions.select(pl.struct("customer_id", "ts_ms").is_duplicated()).to_series().to_numpy()
