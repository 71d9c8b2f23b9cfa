"""When fraud becomes known: reports come days late, a few very late, and some claims are taken back."""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.simulator.drafts import GENUINE
from bdp_assets.simulator.population import Floats
from bdp_assets.simulator.spending import DAY_MS

MEDIAN_DAYS, SPREAD = 3.0, 0.75
"""Log-normal delay of a report: half within 3 days, 87% within 7, 98% within 14."""
LATE_SHARE, LATE_DAYS = 0.04, (30, 120)
FALSE_CLAIMS = 0.0005
REVERSAL_DAYS = (3, 20)


def report(rng: np.random.Generator, transactions: pl.DataFrame) -> pl.DataFrame:
    """Label events of the given transactions, in the columns of `contracts.records.Label`.

    Args:
        rng: Its draws depend on the number of rows only, so labels can be made again.
        transactions: transaction_id, customer_id, merchant_id (String), ts_ms and kind (Int64).
    """
    fraud = transactions.filter(pl.col("kind") != GENUINE)
    honest = transactions.filter(pl.col("kind") == GENUINE)
    fraud_delay, claim_delay = _delay_days(rng, len(fraud)), _delay_days(rng, len(honest))
    claimed = pl.Series(rng.random(len(honest)) < FALSE_CLAIMS)
    settled = claim_delay + rng.uniform(*REVERSAL_DAYS, len(honest))
    events = [
        _events(fraud, fraud_delay, is_fraud=True),
        _events(honest, claim_delay, is_fraud=True).filter(claimed),
        _events(honest, settled, is_fraud=False).filter(claimed),
    ]
    return pl.concat(events).sort("known_at_ms", maintain_order=True)


def _delay_days(rng: np.random.Generator, size: int) -> Floats:
    usual = rng.lognormal(np.log(MEDIAN_DAYS), SPREAD, size)
    return np.where(rng.random(size) < LATE_SHARE, rng.uniform(*LATE_DAYS, size), usual)


def _events(transactions: pl.DataFrame, days: Floats, *, is_fraud: bool) -> pl.DataFrame:
    return transactions.select(
        "transaction_id",
        "customer_id",
        is_fraud=pl.lit(is_fraud),
        known_at_ms=pl.col("ts_ms") + pl.Series((days * DAY_MS).astype(np.int64)),
        merchant_id=pl.col("merchant_id"),
        ts_ms=pl.col("ts_ms"),
    )
