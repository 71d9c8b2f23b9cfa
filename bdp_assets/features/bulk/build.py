"""Features of files that do not fit in memory: spilled by entity, worked out by bucket, merged in order.

The kernel, and what decides which transactions are events, are those of `batch`; so are the results, to the
last bit. What is in memory at a time is a batch of the input, one bucket, or one range of the output, each of
`rows_per_bucket` rows, whatever the file has. A bucket that holds more is split by time; a slice then also
reads what its windows can reach before it.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import NamedTuple

import polars as pl

from bdp_assets.features.bulk.arrival import KEPT, Input, take_labels, take_queries, take_transactions
from bdp_assets.features.bulk.buckets import OwnedBuckets, spread
from bdp_assets.features.bulk.failures import reading, writing
from bdp_assets.features.bulk.merge import Ranges
from bdp_assets.features.bulk.owners import owners_of
from bdp_assets.features.bulk.piece import Answered, compute
from bdp_assets.features.bulk.pieces import Runner, one_by_one, pieces_of
from bdp_assets.features.bulk.workspace import Workspace, workspace_beside
from bdp_assets.features.spec import Catalog

ROWS_PER_BUCKET = 1_000_000

Progress = Callable[[str, int, int], None]
"""Called with the name of a step, how many rows or buckets more it has done, and how many there are."""


class History(NamedTuple):
    """Transactions, and the labels that are known of them."""

    transactions: Input
    labels: Input | None = None

    @property
    def names(self) -> list[str]:
        """What is read, as messages call it."""
        return [rows.name for rows in self if rows is not None]


class Built(NamedTuple):
    """What was written. `peak_bytes`: the most memory that this process has had so far."""

    rows: int
    features: int
    seconds: float
    peak_bytes: int


def silent(step: str, more: int, total: int) -> None:
    """No progress shown."""


class How(NamedTuple):
    """How to work: how many rows in memory at a time, where tasks run, who is told."""

    rows_per_bucket: int = ROWS_PER_BUCKET
    run: Runner = one_by_one
    progress: Progress = silent


def build_file(history: History, output: Path, catalog: Catalog, how: How = How()) -> Built:  # noqa: B008
    """Write the features of every transaction to a Parquet file, in order: `build_features` of any size.

    Raises BulkFailed; then the output is as it was.
    """
    return _Work(history, None, output, catalog, how).do()


def join_file(
    history: History,
    queries: Input,
    output: Path,
    catalog: Catalog,
    how: How = How(),  # noqa: B008
) -> Built:
    """The same for rows that are no events themselves: what a transaction would have got then and there.

    `queries`: as transactions, but without keys of their own; all ids may be null.
    """
    return _Work(history, queries, output, catalog, how).do()


class _Work(NamedTuple):
    history: History
    queries: Input | None
    output: Path
    catalog: Catalog
    how: How

    def do(self) -> Built:
        began = time.monotonic()
        events = self.history.transactions.size()
        asked = self.queries.size() if self.queries else events
        most = max(events, asked)
        inputs = [*self.history.names, *([self.queries.name] if self.queries else [])]
        with (
            writing(self.output, inputs),
            workspace_beside(self.output, most, self.how.rows_per_bucket) as workspace,
        ):
            answered = self._answer(workspace, events, asked)
            finished = workspace.folder / self.output.name
            ranges = Ranges(workspace, self.catalog, self._kept())
            ranges.write(answered, asked, finished, self._tell("write", asked))
            finished.replace(self.output)
        seconds = time.monotonic() - began
        return Built(asked, len(self.catalog.names), seconds, peak_bytes())

    def _answer(self, workspace: Workspace, events: int, asked: int) -> list[Answered]:
        owners = owners_of(self.catalog)
        owned = OwnedBuckets(workspace, owners)
        ids = tuple(sorted({name for owner in owners for name in owner.ids}))
        first_row = 0 if self.queries is None else -events
        take_transactions(workspace, self.history.transactions, ids, first_row, self._tell("read", events))
        if self.history.labels is not None and self.catalog.reads_labels:
            take_labels(workspace, self.history.labels)
        spread(owned, self._tell("sort", events))
        if self.queries is not None:
            take_queries(owned, self.queries, ids, self._tell("read questions", asked))
        pieces = pieces_of(owned, self.how.run)
        tell = self._tell("compute", len(pieces))
        answered = []
        for one in self.how.run(compute, pieces):
            answered.append(one)
            tell(1)
        return answered

    def _kept(self) -> pl.Schema:
        """The columns that the output takes over, without their prefix."""
        source = self.queries or self.history.transactions
        with reading(source.name):
            schema = source.rows.collect_schema()
        return pl.Schema({n.removeprefix(KEPT): t for n, t in schema.items() if n.startswith(KEPT)})

    def _tell(self, step: str, total: int) -> Callable[[int], None]:
        return partial(_told, self.how.progress, step, total)


def _told(progress: Progress, step: str, total: int, more: int) -> None:
    progress(step, more, total)


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
