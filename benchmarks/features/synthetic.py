"""Transactions in the Handbook's shape, where its data is not at hand: a stand-in, never the yardstick."""

from __future__ import annotations

import numpy as np
import polars as pl

ROWS = 1_754_155
CUSTOMERS = 4_990
TERMINALS = 10_000
DAYS = 183
FRAUD_SHARE = 0.0084
NEAR = 90
"""Terminals within a customer's reach, as the Handbook's radius leaves them."""


def handbook(
    rows: int = ROWS, customers: int = CUSTOMERS, terminals: int = TERMINALS, seed: int = 0
) -> pl.DataFrame:
    """Made-up rows under the Handbook's column names; as many and as dense as there by default."""
    rng = np.random.default_rng(seed)
    spenders = rng.gamma(2.0, size=customers)
    customer = rng.choice(customers, size=rows, p=spenders / spenders.sum())
    within_reach = rng.integers(0, terminals, size=(customers, NEAR))
    seconds = np.sort(rng.integers(0, DAYS * 86_400, size=rows))
    return pl.DataFrame(
        {
            "TRANSACTION_ID": np.arange(rows),
            "TX_DATETIME": np.datetime64("2018-04-01", "ms") + (seconds * 1_000).astype("timedelta64[ms]"),
            "CUSTOMER_ID": customer,
            "TERMINAL_ID": within_reach[customer, rng.integers(0, NEAR, size=rows)],
            "TX_AMOUNT": np.round(rng.gamma(1.5, 35.0, size=rows), 2),
            "TX_FRAUD": (rng.random(rows) < FRAUD_SHARE).astype(np.int64),
        }
    )
