"""Labels as events: when a transaction began, and ceased, to count as known fraud."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.features.aggregates import Ints
from bdp_assets.features.spec import MERCHANT_ID, REVERSIBLE

KEY = ("customer_id", "transaction_id")


class LabelChanges(NamedTuple):
    """n changes of mind in order of time, int64 [n]: row of the transaction, sign, when it was known (ms).

    The sign is +1 when it says fraud, -1 when it takes that back, 0 when it does so too late to matter.
    """

    row: Ints
    sign: Ints
    known_at: Ints

    def where(self, mask: NDArray[np.bool_]) -> LabelChanges:
        return LabelChanges(self.row[mask], self.sign[mask], self.known_at[mask])

    def clock(self, ts: Ints, delay: int) -> Ints:
        """When each change counts, in windows with this delay (ms); `ts` are the transactions' own times."""
        return np.maximum(ts[self.row], self.known_at - delay)


NO_CHANGES = LabelChanges(*(np.zeros(0, dtype=np.int64) for _ in range(3)))


def label_changes(transactions: pl.DataFrame, labels: pl.DataFrame) -> LabelChanges:
    """The changes that `labels` brings to `transactions`; labels of other transactions are left out.

    A label that repeats what is known changes nothing, and neither does one that takes back a fraud which
    has been known for more than `REVERSIBLE` ms. Labels that became known in the same millisecond count in
    the order of their rows. Nothing is known before it happens: a label that says so is known since its
    transaction. Of transactions with the same key the first row is meant.
    """
    suspects = labels.filter("is_fraud").select(KEY).unique()
    named = pl.col("transaction_id").is_in(suspects["transaction_id"].implode())
    rows = (
        transactions.select(*KEY, happened="ts_ms")
        .with_row_index("row")
        .filter(named)
        .join(suspects, on=KEY, how="semi")
        .unique(KEY, keep="first")
    )
    changes = (
        labels.filter(named)  # A filter first: a join of all rows costs several times more.
        .join(rows, on=KEY, how="inner", maintain_order="left")
        .sort("known_at_ms", maintain_order=True)
        .with_columns(before=pl.col("is_fraud").shift(1, fill_value=False).over(KEY))
        .filter(pl.col("is_fraud") != pl.col("before"))
        .with_columns(known_at_ms=pl.max_horizontal("known_at_ms", "happened"))
        .with_columns(stood=pl.col("known_at_ms") - pl.col("known_at_ms").shift(1).over(KEY))
        .with_columns(
            sign=pl.when("is_fraud").then(1).when(pl.col("stood") <= REVERSIBLE).then(-1).otherwise(0)
        )
    )
    return LabelChanges(*(changes[name].cast(pl.Int64).to_numpy() for name in ("row", "sign", "known_at_ms")))


def beside(transactions: pl.DataFrame, labels: pl.DataFrame) -> pl.DataFrame:
    """Merchants (column merchant_id) that frauds are told of which `transactions` do not hold.

    The online store believes a label that says itself what it is about (`label_places`); the batch kernel
    leaves it out, so that the two may differ at those merchants. `labels`: as for `label_changes`, and
    merchant_id and ts_ms as they were sent.
    """
    whole = labels.filter("is_fraud", pl.col(MERCHANT_ID).is_not_null(), pl.col("ts_ms").is_not_null())
    return whole.join(transactions, on=KEY, how="anti").select(MERCHANT_ID).unique()
