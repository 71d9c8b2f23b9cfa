"""Peer: the Handbook's own way, a rolling window in pandas for each customer and each terminal.

The whole table takes long, so whole customers and whole terminals are drawn, and the time is extrapolated by
rows: the work is a loop over them. That errs in pandas' favour, by some 5 percent. pandas starts from a
frame of its own with numbers for ids, as the Handbook has it; making that is not timed.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import polars as pl

from bdp_assets.features.times import DAY
from benchmarks.features.data import LABEL_DELAY, Given, coded

Built = pd.DataFrame
"""The rows with their features (`..._WINDOW`), in pandas' order."""

WINDOWS = (1, 7, 30)
ONE_IN = 20


@dataclass(frozen=True)
class Sample:
    """All transactions of some customers, and all of some terminals; `ROW` is their place in the whole."""

    customers: pd.DataFrame
    terminals: pd.DataFrame


def sample(given: Given, one_in: int = ONE_IN) -> Sample:
    frauds = given.labels.filter("is_fraud").select("transaction_id", "customer_id", TX_FRAUD=1)
    whole = (
        given.transactions.with_row_index("ROW")
        .join(frauds, on=["transaction_id", "customer_id"], how="left", maintain_order="left")
        .select(
            "ROW",
            TX_DATETIME=pl.col("ts_ms").cast(pl.Datetime("ms")),
            CUSTOMER_ID=coded(given.transactions["customer_id"]),
            TERMINAL_ID=coded(given.transactions["merchant_id"]),
            TX_AMOUNT=pl.col("amount_base_minor") / 100,
            TX_FRAUD=pl.col("TX_FRAUD").fill_null(0),
        )
    )
    customers = whole.filter(pl.col("CUSTOMER_ID") % one_in == 0)
    terminals = whole.filter(pl.col("TERMINAL_ID") % one_in == 0)
    return Sample(customers.to_pandas(), terminals.to_pandas())


def of_customers(rows: pd.DataFrame) -> Built:
    return rows.groupby("CUSTOMER_ID").apply(_spending)


def of_terminals(rows: pd.DataFrame) -> Built:
    return rows.groupby("TERMINAL_ID").apply(_risk)


def _spending(of: pd.DataFrame) -> pd.DataFrame:
    of = of.sort_values("TX_DATETIME")
    of.index = pd.DatetimeIndex(of["TX_DATETIME"])
    for days in WINDOWS:
        total = of["TX_AMOUNT"].rolling(f"{days}D").sum()
        count = of["TX_AMOUNT"].rolling(f"{days}D").count()
        of[f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"] = list(count)
        of[f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"] = list(total / count)
    of.index = pd.Index(of["ROW"])
    return of


def _risk(of: pd.DataFrame) -> pd.DataFrame:
    delay = LABEL_DELAY // DAY
    of = of.sort_values("TX_DATETIME")
    of.index = pd.DatetimeIndex(of["TX_DATETIME"])
    frauds_delay = of["TX_FRAUD"].rolling(f"{delay}D").sum()
    count_delay = of["TX_FRAUD"].rolling(f"{delay}D").count()
    for days in WINDOWS:
        frauds = of["TX_FRAUD"].rolling(f"{delay + days}D").sum() - frauds_delay
        count = of["TX_FRAUD"].rolling(f"{delay + days}D").count() - count_delay
        of[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = list(count)
        of[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = list(frauds / count)
    of.index = pd.Index(of["ROW"])
    return of.fillna(0)
