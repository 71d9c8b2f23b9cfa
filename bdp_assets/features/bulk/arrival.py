"""First pass: the input as it arrives, in batches, into buckets on disk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import polars as pl

from bdp_assets.features.bulk import spill
from bdp_assets.features.bulk.buckets import OwnedBuckets
from bdp_assets.features.bulk.failures import BulkFailed, reading
from bdp_assets.features.bulk.workspace import Workspace, bucketed
from bdp_assets.features.formulas import COLUMNS, checked
from bdp_assets.features.labels import KEY

BATCH = 500_000
"""Most rows of the input that are in memory at a time."""
KEPT = "kept:"
"""Prefix of columns that go to the output as they are, so that no name of a file meets one of ours."""
LABEL = (*KEY, "is_fraud", "known_at_ms")

Tell = Callable[[int], None]
"""Called with how many rows were done since the call before."""


class Input(NamedTuple):
    """Rows to read, in order of arrival, and what to call them in messages.

    Of transactions: KEY, COLUMNS (Int64) and the catalog's ids; of labels: LABEL. Columns whose name begins
    with KEPT are for the output.
    """

    name: str
    rows: pl.LazyFrame

    def size(self) -> int:
        """Raises BulkFailed."""
        with reading(self.name):
            return int(self.rows.select(pl.len()).collect(engine="streaming").item())

    def batches(self, columns: tuple[str, ...], ids: tuple[str, ...], most: int) -> Iterator[pl.DataFrame]:
        """These columns and those for the output; ids that the input lacks are null. Raises BulkFailed."""
        with reading(self.name):
            known = self.rows.collect_schema().names()
            rows = self.rows.with_columns(
                pl.lit(None, pl.String).alias(name) for name in ids if name not in known
            )
            kept = [name for name in known if name.startswith(KEPT)]
            wanted = dict.fromkeys([*columns, *ids, *kept])
            yield from rows.select(*wanted).collect_batches(chunk_size=most, maintain_order=True)


def take_transactions(
    workspace: Workspace, transactions: Input, ids: tuple[str, ...], first_row: int, tell: Tell
) -> None:
    """Into buckets by key, numbered from `first_row` on. Rows that are not numbered below 0 are answered."""
    columns = (*KEY, *COLUMNS)
    spilled = ["row", *dict.fromkeys([*columns, *ids])]
    for batch in _numbered(workspace, transactions, columns, ids, first_row):
        for bucket, rows in bucketed(batch.select(spilled), KEY, workspace.buckets):
            spill.append(workspace.keyed(bucket), rows)
        tell(len(batch))


def take_labels(workspace: Workspace, labels: Input) -> None:
    """Into buckets by the key of their transactions."""
    for batch in labels.batches(LABEL, (), BATCH):
        for bucket, rows in bucketed(batch, KEY, workspace.buckets):
            spill.append(workspace.labels(bucket), rows)


def take_queries(owned: OwnedBuckets, queries: Input, ids: tuple[str, ...], tell: Tell) -> None:
    """Rows that ask and are no events: straight into the owners' buckets."""
    for batch in _numbered(owned.workspace, queries, COLUMNS, ids, 0):
        owned.give(batch.with_columns(is_event=pl.lit(False)))
        tell(len(batch))


def _numbered(
    workspace: Workspace, input_: Input, columns: tuple[str, ...], ids: tuple[str, ...], first_row: int
) -> Iterator[pl.DataFrame]:
    """Batches with `row`; what the output needs of rows from 0 on is put aside."""
    row = first_row
    for batch in input_.batches(columns, ids, min(workspace.rows_per_bucket, BATCH)):
        check_rows(input_.name, batch, columns, row - first_row)
        numbered = batch.with_columns(row=pl.int_range(row, row + len(batch), dtype=pl.Int64))
        if row >= 0:
            _keep(workspace, numbered)
        yield numbered
        row += len(batch)


_OF = {
    "ts_ms": " (of a column `timestamp`: a date and time with its zone)",
    "amount_base_minor": " (of a column `amount`: from 0 on, with no more decimals than its currency)",
}
"""Where files may have another column in its place, what that must hold."""


def check_rows(name: str, batch: pl.DataFrame, columns: tuple[str, ...], rows_before: int = 0) -> None:
    """Raises BulkFailed: a row lacks one of these columns, or has a number outside its column's range."""
    for column in columns:
        if batch[column].null_count():
            row = rows_before + int(batch[column].is_null().arg_true()[0]) + 1
            raise BulkFailed(
                f"{name}: row {row:,} has no {column} that can be read{_OF.get(column, '')}, and there may "
                "be more. Mend or leave out such rows."
            )
    for column in COLUMNS:
        try:
            checked(column, batch[column].to_numpy())
        except ValueError as error:
            raise BulkFailed(f"{name}: {error}") from None


def _keep(workspace: Workspace, batch: pl.DataFrame) -> None:
    """By ranges of rows, in order."""
    columns = [*(name for name in batch.columns if name.startswith(KEPT)), *COLUMNS]
    for (range_,), rows in batch.group_by(pl.col("row") // workspace.rows_per_bucket, maintain_order=True):
        spill.append(workspace.kept(int(str(range_))), rows.select(columns))
