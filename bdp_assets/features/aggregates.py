"""The aggregates: what they read of a window, and what a spec may say of them.

Every sum is a difference of running sums, so it costs the same for one event and for a million; extremes have
a structure of their own. All of it is exact integers; division and square root happen once, at the end, so
order and batch size can not change a bit. Adding an aggregate is one entry in `AGGREGATES`, and its branch in
`compiled.answers`, which says how it is finished.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bdp_assets.features.compiled import codes

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
SumName = Literal["events", "matching", "total", "squares_high", "squares_low"]
"""`events` in the window; those `matching` the filter (all of them without one); of these the `total` of the
column, and the high and low parts of its squares."""
LookKind = Literal["min", "max", "last", "last_ms", "first_ms", "id", "run"]
"""What is looked for among the matching events: the column's least or greatest value, its value at the last
one, when the last or the first one happened, how many different values there are; where a run began."""


class Aggregate(NamedTuple):
    """`code`: how `compiled.answers` finishes it. `sums` and `look`: what it reads.

    `of_run`: it reads of its window only what follows the last tile in which not every event matched.

    The rest says what a spec must or may give it: `column`, none, a `number` or an `id`; `tiles` and
    `all_history`, whether it can be answered from tiles, and over all history.
    """

    code: int
    sums: tuple[SumName, ...] = ()
    look: LookKind | None = None
    of_run: bool = False
    column: Literal["number", "id"] | None = None
    needs_filter: bool = False
    takes_current: bool = False
    tiles: bool = True
    all_history: bool = True


AGGREGATES: Mapping[str, Aggregate] = {
    "count": Aggregate(codes.COUNT, ("matching",), takes_current=True),
    "sum": Aggregate(codes.SUM, ("total",), column="number", takes_current=True),
    "mean": Aggregate(codes.MEAN, ("total", "matching"), column="number", takes_current=True),
    # Population standard deviation: sqrt((n * q - s * s) / (n * n)), the difference exact.
    "std": Aggregate(
        codes.STD,
        ("matching", "total", "squares_high", "squares_low"),
        column="number",
        takes_current=True,
        tiles=False,
    ),
    "min": Aggregate(codes.LEAST, look="min", column="number", takes_current=True),
    "max": Aggregate(codes.GREATEST, look="max", column="number", takes_current=True),
    "last": Aggregate(codes.LAST, look="last", column="number", tiles=False),
    "share": Aggregate(codes.SHARE, ("matching", "events"), needs_filter=True, takes_current=True),
    "seconds_since_last": Aggregate(codes.SINCE_LAST, look="last_ms"),
    "seconds_since_first": Aggregate(codes.SINCE_FIRST, look="first_ms"),
    "run_count": Aggregate(
        codes.COUNT, ("matching", "events"), of_run=True, needs_filter=True, all_history=False
    ),
    "seconds_since_run": Aggregate(
        codes.SINCE_FIRST,
        ("matching", "events"),
        look="first_ms",
        of_run=True,
        needs_filter=True,
        all_history=False,
    ),
    "distinct": Aggregate(codes.DISTINCT, look="id", column="id", tiles=False, all_history=False),
}
