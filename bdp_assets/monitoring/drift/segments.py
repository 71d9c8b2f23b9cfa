"""Segments: parts of a day's transactions that are compared on their own, declared here and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import polars as pl

from bdp_assets.monitoring.bands import AMOUNT_EDGES, NEW_MERCHANT, NIGHT

EVERYTHING = "all"
_amount, _night, _new = pl.col("amount_value"), pl.col(NIGHT) > 0, pl.col(NEW_MERCHANT) > 0
_low, _high = (edge / 100 for edge in AMOUNT_EDGES)

SEGMENTS: Mapping[str, pl.Expr] = MappingProxyType(
    {
        EVERYTHING: pl.lit(value=True),
        f"amount below {_low:g}": _amount < _low,
        f"amount {_low:g} to {_high:g}": (_amount >= _low) & (_amount < _high),
        f"amount {_high:g} or more": _amount >= _high,
        "night": _night,
        "day": ~_night,
        "new merchant": _new,
        "known merchant": ~_new,
    }
)
"""Name -> condition on feature columns; amounts in the base currency. A row whose feature is missing is in
none of the segments that ask for it. A change here asks for a training: references count by segment."""
