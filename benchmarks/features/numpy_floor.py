"""The floor: the same 12 columns with nothing but a sort, running sums and binary searches in NumPy.

No catalog and no checks. It takes the shortcuts that this data allows and a general engine must not: no
transaction comes twice, no key is missing, and every label is known on time, so that a fraud counts at its
own time and needs no event of its own. Only turning ids into codes and looking up the frauds is left to
Polars, since NumPy is slow with strings.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.features.times import DAY
from benchmarks.features.data import LABEL_DELAY, Columns, Given

Ints = NDArray[np.int64]
Codes = NDArray[np.unsignedinteger]

WINDOWS = (1, 7, 30)
_KEY = ("customer_id", "transaction_id")
_LONGEST = LABEL_DELAY + WINDOWS[-1] * DAY


def features(given: Given) -> Columns:
    frame = given.transactions
    ts = frame["ts_ms"].to_numpy()
    amount = frame["amount_base_minor"].to_numpy()
    return {
        **of_customers(codes(frame["customer_id"]), ts, amount),
        **of_terminals(codes(frame["merchant_id"]), ts, frauds(given)),
    }


def codes(ids: pl.Series) -> Codes:
    found = ids.cast(pl.Categorical(pl.Categories.random())).to_physical().to_numpy()
    return found.astype(np.uint16) if found.max() < 2**16 else found


def frauds(given: Given) -> Ints:
    """1 for each row that is a fraud, else 0."""
    known = given.labels.filter("is_fraud").select(_KEY)
    rows = given.transactions.select(_KEY).with_row_index("row").join(known, on=_KEY, how="semi")["row"]
    flags = np.zeros(given.rows, dtype=np.int64)
    flags[rows.to_numpy()] = 1
    return flags


def of_customers(customer: Codes, ts: Ints, amount: Ints) -> Columns:
    """Count and mean amount up to the transaction, with itself and without others of its millisecond."""
    order, keys = in_order(customer, ts)
    own = amount[order]
    sums = running(own)
    before = first_of_ties(keys)
    found = {}
    for days in WINDOWS:
        start = keys.searchsorted(keys - (days * DAY - 1))
        count = before - start + 1
        total = sums[before] - sums[start] + own
        found[f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW"] = in_rows(count, order)
        found[f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW"] = in_rows(total / (count * 100.0), order)
    return found


def of_terminals(terminal: Codes, ts: Ints, fraud: Ints) -> Columns:
    """Count and share of frauds in windows that end when labels are known; 0 for an empty one."""
    order, keys = in_order(terminal, ts)
    sums = running(fraud[order])
    end = keys.searchsorted(keys - LABEL_DELAY, side="right")
    frauds_at_end = sums[end]
    found = {}
    for days in WINDOWS:
        start = keys.searchsorted(keys - (LABEL_DELAY + days * DAY), side="right")
        count = end - start
        share = (frauds_at_end - sums[start]) / np.maximum(count, 1)
        found[f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW"] = in_rows(count, order)
        found[f"TERMINAL_ID_RISK_{days}DAY_WINDOW"] = in_rows(share, order)
    return found


def in_order(entity: Codes, ts: Ints) -> tuple[Ints, Ints]:
    """Rows by entity and time, and one ascending key of both: entities lie further apart than any window."""
    keys = entity.astype(np.int64)
    keys *= int(ts.max() - ts.min()) + _LONGEST + 1
    keys += ts
    if entity.dtype == np.uint16 and (ts[1:] >= ts[:-1]).all():
        order = np.argsort(entity, kind="stable")  # Of 16 bits that is a radix sort, three times as fast.
    else:
        order = np.argsort(keys)
    return order, keys[order]


def running(values: Ints) -> Ints:
    """Running sums from 0: a slice's sum is the difference of two."""
    sums = np.zeros(len(values) + 1, dtype=np.int64)
    np.cumsum(values, out=sums[1:])
    return sums


def first_of_ties(keys: Ints) -> Ints:
    """Where the run of equal keys begins that each position lies in."""
    begins = np.arange(len(keys))
    begins[1:][keys[1:] == keys[:-1]] = 0
    return np.maximum.accumulate(begins)


def in_rows(values: NDArray[np.int64] | NDArray[np.float64], order: Ints) -> NDArray[np.float64]:
    column = np.empty(len(values))
    column[order] = values
    return column
