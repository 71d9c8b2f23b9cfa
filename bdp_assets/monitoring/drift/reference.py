"""The reference: what a model's own days looked like, small enough to be kept with the model.

Bins and counts by day, quantity and segment instead of rows: a few hundred kilobytes, and no id or amount of
anybody is in it.
"""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import polars as pl

from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.monitoring.drift.bins import BINS, Floats, Ints, edges_of
from bdp_assets.monitoring.drift.counting import FRAUD, SCORE, count
from bdp_assets.monitoring.drift.segments import SEGMENTS

FORMAT = 1
FILE = "drift_reference.npz"
_FRAUD_EDGES = np.array([0.0, 1.0])


class ReferenceUnusable(ValueError):  # noqa: N818 - reads as what it is
    """The reference can not be compared with; the message says why and what to do."""


@dataclass(frozen=True)
class Reference:
    """`counts`: int64 [days, quantities, segments, BINS]; quantities are the keys of `edges`.

    `delay_days`: how old labels are when they are counted. A day may lack scores or labels: its counts are 0.
    """

    catalog_version: str
    delay_days: int
    days: list[date]
    edges: dict[str, Floats]
    counts: Ints

    @property
    def quantities(self) -> list[str]:
        return list(self.edges)

    def count(self, rows: pl.DataFrame, day: date) -> Ints:
        """One day's rows in the reference's bins: int64 [quantities, segments, BINS]."""
        counts: Ints = count(rows, [day], self.edges)[0]
        return counts


def reference_of(
    rows: pl.DataFrame, feature_names: list[str], catalog_version: str, delay_days: int
) -> Reference:
    """Of all rows of a model's days: event_date, the features, SCORE and FRAUD.

    Scores have to be of rows that the model did not learn from: those that it did are told apart too well.
    Raises ReferenceUnusable when a quantity has no value at all.
    """
    names = [*feature_names, SCORE]
    absent = [name for name in names if rows[name].drop_nulls().is_empty()]
    if absent:
        raise ReferenceUnusable(
            f"no row has a value of {', '.join(absent)}: there is nothing to compare with"
        )
    edges = {name: edges_of(rows[name].drop_nulls().to_numpy()) for name in names} | {FRAUD: _FRAUD_EDGES}
    days = rows[EVENT_DATE].unique().sort().to_list()
    return Reference(catalog_version, delay_days, days, edges, count(rows, days, edges))


def encode(reference: Reference) -> bytes:
    """As a file (NumPy's npz)."""
    about = {
        "format": FORMAT,
        "catalog_version": reference.catalog_version,
        "delay_days": reference.delay_days,
        "days": [day.isoformat() for day in reference.days],
        "quantities": reference.quantities,
        "segments": list(SEGMENTS),
    }
    edges: dict[str, Any] = {f"edges_{at}": ends for at, ends in enumerate(reference.edges.values())}
    buffer = io.BytesIO()
    counts = reference.counts.astype(np.uint32)
    arrays: dict[str, Any] = {"about": np.frombuffer(json.dumps(about).encode(), np.uint8), "counts": counts}
    np.savez_compressed(buffer, **arrays, **edges)
    return buffer.getvalue()


def decode(content: bytes) -> Reference:
    """Raises ReferenceUnusable: damaged, of another format, or counted by other segments."""
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        about = json.loads(arrays["about"].tobytes())
        edges = {name: arrays[f"edges_{at}"] for at, name in enumerate(about["quantities"])}
        reference = Reference(
            about["catalog_version"],
            about["delay_days"],
            [date.fromisoformat(day) for day in about["days"]],
            edges,
            arrays["counts"].astype(np.int64),
        )
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ReferenceUnusable(f"{FILE} is damaged ({type(error).__name__}): train a model again") from error
    shape = (len(reference.days), len(edges), len(SEGMENTS), BINS)
    if (about["format"], about["segments"], reference.counts.shape) != (FORMAT, list(SEGMENTS), shape):
        raise ReferenceUnusable(
            f"{FILE} was counted by other segments or bins than this code's: train a model again "
            "(`bdp train`)"
        )
    return reference
