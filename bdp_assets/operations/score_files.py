"""`bdp score`: transactions or features in, a Parquet file of scores out, in bounded memory.

Transactions become a file of features first, beside the output and gone afterwards; features are scored in
batches of BATCH rows. The output takes its name when it is whole.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import polars as pl
import pyarrow.parquet

from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.scores import scored
from bdp_assets.features.bulk.build import History, Progress, peak_bytes
from bdp_assets.features.bulk.failures import BulkFailed, reading, writing
from bdp_assets.features.bulk.merge import CATALOG_VERSION
from bdp_assets.features.bulk.workspace import folder_beside
from bdp_assets.operations import feature_files
from bdp_assets.operations.feature_files import Sources, Work
from bdp_assets.settings import Settings

BATCH = 50_000
_BUFFER_BYTES = 1 << 18
"""A column of a row group is read through a window of this size, not as a whole."""


class Scored(NamedTuple):
    """What was written. `peak_bytes`: the most memory that this process has had so far."""

    rows: int
    decisions: dict[str, int]
    seconds: float
    peak_bytes: int


def score_transactions(  # noqa: PLR0913, PLR0917 - as many as `feature_files.build`, and the model
    settings: Settings, sources: Sources, history: History, output: Path, decider: Decider, work: Work
) -> Scored:
    """Score every transaction, in order. Raises BulkFailed and RayMissing; then the output is as it was."""
    began = time.monotonic()
    with writing(output, history.names), folder_beside(output) as folder:
        features = folder / "features.parquet"
        feature_files.build(settings, sources, history, features, work)
        return score_features(features, output, decider, work.progress, began)


def score_features(
    features: Path, output: Path, decider: Decider, progress: Progress, began: float | None = None
) -> Scored:
    """Score a Parquet file of features, in order: its other columns, then `scores.SCORES`.

    `began`: when the work did, on the monotonic clock; None: now.

    Raises BulkFailed; then the output is as it was.
    """
    began = time.monotonic() if began is None else began
    with writing(output), folder_beside(output) as folder:
        finished = folder / output.name
        decisions = _write(features, finished, decider, progress)
        finished.replace(output)
    return Scored(decisions.total(), dict(decisions), time.monotonic() - began, peak_bytes())


def _write(features: Path, output: Path, decider: Decider, progress: Progress) -> Counter[str]:
    """How many rows were decided how."""
    name = str(features)
    with reading(name):
        file = pyarrow.parquet.ParquetFile(features, buffer_size=_BUFFER_BYTES)
    _refuse_other_columns(name, file.schema_arrow, decider)
    decisions: Counter[str] = Counter()
    schema = _scored(name, file.schema_arrow.empty_table(), decider).to_arrow().schema
    with file, pyarrow.parquet.ParquetWriter(output, schema, compression="zstd") as writer:
        for batch in _batches(name, file):
            rows = _scored(name, batch, decider)
            writer.write_table(rows.to_arrow().cast(schema))
            decisions.update(dict(rows.group_by("decision").len().iter_rows()))
            progress("score", len(rows), file.metadata.num_rows)
    return decisions


def _batches(name: str, file: pyarrow.parquet.ParquetFile) -> Iterator[object]:
    """Row group by row group: a reader of several holds what it read of the last one, too."""
    with reading(name):
        for group in range(file.num_row_groups):
            yield from file.iter_batches(BATCH, row_groups=[group])


def _scored(name: str, batch: object, decider: Decider) -> pl.DataFrame:
    rows = pl.from_arrow(batch)
    assert isinstance(rows, pl.DataFrame)  # noqa: S101 - a table is no series
    if "catalog_version" in rows:
        _refuse_others(name, set(rows["catalog_version"].to_list()), decider)
    try:
        with reading(name):
            return scored(decider, rows)
    except ValueError as error:
        raise BulkFailed(f"{name}: {error}.") from None


def _refuse_other_columns(name: str, schema: pyarrow.Schema, decider: Decider) -> None:
    if absent := [feature for feature in decider.info.feature_names if feature not in schema.names]:
        raise BulkFailed(
            f"{name} lacks {len(absent)} features that model {decider.info.version} reads, first "
            f"{absent[0]}. Write it with `bdp features build`, or score transactions without --features."
        )
    version = (schema.metadata or {}).get(CATALOG_VERSION)
    _refuse_others(name, {version.decode()} if version else set(), decider)


def _refuse_others(name: str, versions: set[str | None], decider: Decider) -> None:
    """Features of another catalog may have the same names and another meaning."""
    own = decider.info.catalog_version
    if others := versions - {own}:
        raise BulkFailed(
            f"{name} has features of catalog {', '.join(map(str, others))}, but model {decider.info.version} "
            f"reads {own}. Build them again with `bdp features build`."
        )
