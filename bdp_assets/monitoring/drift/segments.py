"""Segments: parts of a day's transactions that are compared on their own, declared here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

EVERYTHING = "all"
_amount, _night = pl.col("amount_value"), pl.col("is_night") > 0
_new = pl.col("customer_merchant_is_new") > 0

SEGMENTS: Mapping[str, pl.Expr] = MappingProxyType(
    {
        EVERYTHING: pl.lit(value=True),
        "amount below 20": _amount < 20,
        "amount 20 to 100": (_amount >= 20) & (_amount < 100),
        "amount 100 or more": _amount >= 100,
        "night": _night,
        "day": ~_night,
        "new merchant": _new,
        "known merchant": ~_new,
    }
)
"""Name -> condition on feature columns; amounts in the base currency. A row whose feature is missing is in
none of the segments that ask for it. A change here asks for a training: references count by segment."""
