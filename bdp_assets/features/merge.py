"""Binary searches of many ascending numbers at once, as one pass over both arrays."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.features.aggregates import Ints


def merged(keys: Ints, wanted: Iterable[Ints]) -> list[NDArray[np.uint32]]:
    """What `keys.searchsorted(one)` gives for each one, where all ascend; up to 2**32 keys."""
    places = pl.DataFrame({"key": keys}).with_row_index("place")
    return [_merged(places, one) for one in wanted]


def _merged(places: pl.DataFrame, wanted: Ints) -> NDArray[np.uint32]:
    # The first key that is not smaller; without one, all are.
    found = pl.DataFrame({"key": wanted}).join_asof(
        places, on="key", strategy="forward", check_sortedness=False
    )
    result: NDArray[np.uint32] = found["place"].fill_null(len(places)).to_numpy()
    return result
