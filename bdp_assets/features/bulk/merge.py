"""Last pass: the output by ranges of rows, from what was kept of the input and the features of buckets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pyarrow.parquet

from bdp_assets.features.aggregates import Floats
from bdp_assets.features.bulk import spill
from bdp_assets.features.bulk.arrival import KEPT
from bdp_assets.features.bulk.piece import Answered
from bdp_assets.features.bulk.workspace import Workspace
from bdp_assets.features.formulas import COLUMNS
from bdp_assets.features.kernel import Engine
from bdp_assets.features.spec import Catalog

CATALOG_VERSION = b"bdp.catalog_version"
"""Key of the file's metadata that says which catalog its features are of."""


class Ranges:
    """`kept`: what the input gives the output, by name in the output."""

    def __init__(self, workspace: Workspace, catalog: Catalog, kept: pl.Schema) -> None:
        self._workspace = workspace
        self._catalog = catalog
        self._engine = Engine(catalog)
        named = {f"{KEPT}{name}": dtype for name, dtype in kept.items()}
        self._input = pl.Schema({**named, **dict.fromkeys(COLUMNS, pl.Int64())})
        empty = self._frame(self._input.to_frame(), self._engine.empty(0)).to_arrow()
        self._schema = empty.schema.with_metadata({CATALOG_VERSION: catalog.version})

    def write(
        self, answered: Sequence[Answered], rows: int, output: Path, tell: Callable[[int], None]
    ) -> None:
        """A Parquet file with the first `rows` rows of the input: kept columns, then features."""
        with pyarrow.parquet.ParquetWriter(output, self._schema, compression="zstd") as writer:
            for range_ in range(-(-rows // self._workspace.rows_per_bucket)):
                path = self._workspace.kept(range_)
                kept = spill.read(path, self._input)
                path.unlink()
                frame = self._frame(kept, self._matrix(range_, len(kept), answered))
                writer.write_table(frame.to_arrow().cast(self._schema))
                tell(len(frame))

    def _matrix(self, range_: int, rows: int, answered: Sequence[Answered]) -> Floats:
        matrix = self._engine.empty(rows)
        for values in _values(answered, range_):
            place = values["row"].to_numpy() - range_ * self._workspace.rows_per_bucket
            for name in values.columns[1:]:
                matrix[self._catalog.names.index(name)][place] = values[name].to_numpy()
        return matrix

    def _frame(self, kept: pl.DataFrame, matrix: Floats) -> pl.DataFrame:
        numbers = {name: kept[name].to_numpy() for name in COLUMNS}
        self._engine.finish(matrix, numbers)
        columns = [pl.Series(name, values) for name, values in zip(self._catalog.names, matrix, strict=True)]
        own = [name for name in kept.columns if name.startswith(KEPT)]
        return kept.select(pl.col(name).alias(name.removeprefix(KEPT)) for name in own).with_columns(columns)


def _values(answered: Sequence[Answered], range_: int) -> Iterator[pl.DataFrame]:
    for one in answered:
        if range_ in one.begins:
            yield spill.read_at(one.values, one.begins[range_])
