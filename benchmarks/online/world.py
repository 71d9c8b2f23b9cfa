"""The transactions of the bench: a history to fill the store with, and new ones that go on from there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.times import DAY
from benchmarks.online.clients import ALL, Share

_START = 1_772_323_200_000  # 2026-03-01
_TOPIC = "AAAAAAAAAAAAAAAAAAAAAA"  # As long as Kafka's own ids.
_FRAUD_SHARE = 0.01
_ABROAD = 0.05
_MOST_MINOR = 50_000


@dataclass(frozen=True)
class World:
    """Customers and merchants of equal standing; time passes evenly.

    `events`: how many a customer has within `retention_ms` on average; it stays so, since old ones leave as
    new ones come.
    """

    retention_ms: int
    customers: int = 1_000
    merchants: int = 2_000
    events: int = 100
    seed: int = 0

    def history(self) -> tuple[pl.DataFrame, pl.DataFrame]:
        """Transactions and labels as `OnlineStore.rebuild` takes them."""
        rows = self.customers * self.events
        drawn = self._drawn(0, rows)
        transactions = drawn.with_columns(coordinates=pl.format(f"{_TOPIC}:0:{{}}", "transaction_id"))
        labels = drawn.select(
            "transaction_id",
            "customer_id",
            is_fraud=pl.Series(np.random.default_rng(self.seed).random(rows) < _FRAUD_SHARE),
            known_at_ms=pl.col("ts_ms") + 7 * DAY,
        )
        return transactions, labels

    def coming(self, first: int, count: int, share: Share = ALL) -> list[ValidatedTransaction]:
        """`count` transactions of a share of the customers, beginning with the `first` one after the history;
        what other shares get lies in between."""
        drawn = self._drawn(self.customers * self.events + first, count, share)
        return [_transaction(row) for row in drawn.iter_rows(named=True)]

    def _drawn(self, first: int, count: int, share: Share = ALL) -> pl.DataFrame:
        """Transactions by their number: the same number gives the same one only from the same `first`."""
        rng = np.random.default_rng((self.seed, first, share.number))
        number = first + share.number + share.of * np.arange(count)
        customer = share.number + share.of * rng.integers(0, self.customers // share.of, count)
        return pl.DataFrame(
            {
                "transaction_id": number.astype(str),
                "customer_id": np.char.add("customer-", customer.astype(str)),
                "merchant_id": np.char.add("merchant-", rng.integers(0, self.merchants, count).astype(str)),
                "country": np.where(rng.random(count) < _ABROAD, "FR", "DE"),
                "ts_ms": _START + number * self.retention_ms // (self.customers * self.events),
                "amount_base_minor": rng.integers(100, _MOST_MINOR, count),
                "body_hash": [f"{n:032x}" for n in number.tolist()],
            }
        )


def places(transactions: Sequence[ValidatedTransaction], partition: int = 0) -> list[str]:
    """Kafka coordinates of each: one partition, in order."""
    return [f"{_TOPIC}:{partition}:{transaction.transaction_id}" for transaction in transactions]


def _transaction(row: dict[str, object]) -> ValidatedTransaction:
    minor = row["amount_base_minor"]
    return ValidatedTransaction(
        **row,  # type: ignore[arg-type]
        timestamp="2026-03-01T00:00:00Z",
        amount="1.00",
        currency="USD",
        amount_minor=minor,  # type: ignore[arg-type]
        rates_version="bench",
    )
