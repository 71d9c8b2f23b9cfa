"""Second pass: which transactions are events and what labels say of them, decided key by key; then to each
entity's bucket what it has to know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import numpy as np
import polars as pl

from bdp_assets.features.bulk import spill
from bdp_assets.features.bulk.owners import Owner
from bdp_assets.features.bulk.workspace import Workspace, bucketed
from bdp_assets.features.labels import label_changes
from bdp_assets.features.table import first_of_each

_LABELS = pl.Schema(
    {"customer_id": pl.String, "transaction_id": pl.String, "is_fraud": pl.Boolean, "known_at_ms": pl.Int64}
)


class OwnedBuckets:
    """The owners' buckets while they fill; `sizes`: how many rows there are in each."""

    def __init__(self, workspace: Workspace, owners: tuple[Owner, ...]) -> None:
        self.workspace = workspace
        self.owners = owners
        self.sizes: Counter[tuple[Owner, int]] = Counter()

    def give(self, rows: pl.DataFrame) -> None:
        """Rows without an owner's key have nothing to ask of it and nothing to tell."""
        for owner in self.owners:
            mine = rows.select(owner.schema.names()).filter(pl.col(owner.key).is_not_null())
            for bucket, part in bucketed(mine, (owner.key,), self.workspace.buckets):
                spill.append(self.workspace.events(owner, bucket), part)
                self.sizes[owner, bucket] += len(part)

    def give_changes(self, changes: pl.DataFrame) -> None:
        for owner in self.owners:
            if owner.catalog.reads_labels:
                mine = changes.select(owner.label_schema.names()).filter(pl.col(owner.key).is_not_null())
                for bucket, part in bucketed(mine, (owner.key,), self.workspace.buckets):
                    spill.append(self.workspace.changes(owner, bucket), part)


def spread(owned: OwnedBuckets, tell: Callable[[int], None]) -> None:
    """Empty the buckets by key into those of the owners."""
    workspace = owned.workspace
    for bucket in range(workspace.buckets):
        path = workspace.keyed(bucket)
        if path.exists():
            transactions = spill.read(path, pl.Schema())
            owned.give(transactions.with_columns(is_event=first_of_each(transactions)))
            if workspace.labels(bucket).exists():
                owned.give_changes(_changes(transactions, spill.read(workspace.labels(bucket), _LABELS)))
            path.unlink()
            tell(len(transactions))


def _changes(transactions: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """A row for each change, with the ids and the time of its transaction."""
    row, sign, known_at = label_changes(transactions, labels)
    about = transactions[row.astype(np.uint32)]
    return about.with_columns(sign=pl.Series(sign), known_at_ms=pl.Series(known_at))
