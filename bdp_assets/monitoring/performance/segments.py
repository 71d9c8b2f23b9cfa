"""The segments that models are judged in: one declaration, from which tables, metrics and docs follow.

A transaction is in one member of each segment. Members are few and fixed: they are labels of metrics.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import polars as pl

from bdp_assets.contracts.columns import FEATURES
from bdp_assets.features.catalog import AMOUNT
from bdp_assets.monitoring.bands import AMOUNT_EDGES, NEW_MERCHANT, NIGHT

ALL, UNKNOWN = "all", "unknown"


@dataclass(frozen=True)
class Segment:
    """`member`: which of the members a row of the table `predictions` is in."""

    name: str
    members: tuple[str, ...]
    member: pl.Expr


class Part(NamedTuple):
    """Rows of one member of a segment, at least one."""

    segment: str
    member: str
    rows: pl.DataFrame


def _by_feature(segment: str, feature: str, yes: str, no: str) -> Segment:
    """By a feature that is 0 or 1, as it was served; a vector without it is of a member of its own."""
    value = pl.col(FEATURES).str.json_path_match(f"$.{feature}").cast(pl.Float64)
    member = pl.when(value == 1).then(pl.lit(yes)).when(value == 0).then(pl.lit(no))
    return Segment(segment, (no, yes, UNKNOWN), member.otherwise(pl.lit(UNKNOWN)))


def _amount_bands() -> Segment:
    edges = [str(edge // 100) for edge in AMOUNT_EDGES]
    between = (f"{low}_to_{high}" for low, high in pairwise(edges))
    members = (f"below_{edges[0]}", *between, f"from_{edges[-1]}")
    band = pl.sum_horizontal((pl.col(AMOUNT) >= edge).cast(pl.Int32) for edge in AMOUNT_EDGES)
    return Segment("amount", members, band.replace_strict(dict(enumerate(members)), return_dtype=pl.String))


SEGMENTS = (
    _amount_bands(),
    _by_feature("merchant", NEW_MERCHANT, "new", "known"),
    _by_feature("time", NIGHT, "night", "day"),
)


def with_segments(decisions: pl.DataFrame) -> pl.DataFrame:
    """Rows of `predictions` with a column for each segment in place of the features."""
    return decisions.with_columns(one.member.alias(one.name) for one in SEGMENTS).drop(FEATURES)


def parts(rows: pl.DataFrame) -> Iterator[Part]:
    """All rows, then those of each member that has some, as declared. `rows`: of `with_segments`."""
    if not rows.is_empty():
        yield Part(ALL, ALL, rows)
    for segment in SEGMENTS:
        found = rows.partition_by(segment.name, as_dict=True)
        yield from (Part(segment.name, name, found[name,]) for name in segment.members if (name,) in found)
