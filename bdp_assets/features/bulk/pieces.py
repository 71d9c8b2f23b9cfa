"""The tasks of the third pass: one a bucket, or one a time slice where a bucket holds too much."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from bdp_assets.features.bulk.buckets import OwnedBuckets
from bdp_assets.features.bulk.carry import Carrying, summarise
from bdp_assets.features.bulk.cuts import Slice, cut, lookback
from bdp_assets.features.bulk.owners import Owner
from bdp_assets.features.bulk.piece import Piece

T = TypeVar("T")
R = TypeVar("R")


class Runner(Protocol):
    """Runs independent tasks; results in any order."""

    def __call__(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterable[R]: ...


def one_by_one(function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
    """In this process: as much memory as one task takes."""
    return map(function, tasks)


def pieces_of(owned: OwnedBuckets, run: Runner) -> list[Piece]:
    """Cuts buckets that hold too much, and summarises slices for windows over all history."""
    most = owned.workspace.rows_per_bucket
    pieces, carrying = [], []
    for (owner, bucket), rows in sorted(owned.sizes.items(), key=lambda item: -item[1]):
        if rows <= most:
            pieces.append(_whole(owned, owner, bucket))
            continue
        slices = cut(owned.workspace.events(owner, bucket), owned.workspace.slices(owner, bucket), most)
        first = lookback(slices, owner.reach)
        pieces += _sliced(owned, owner, bucket, slices, first)
        carrying += [Carrying(owner, one) for one in slices[: max(first)] if owner.endless]
    for _ in run(summarise, carrying):
        pass
    return pieces


def _whole(owned: OwnedBuckets, owner: Owner, bucket: int) -> Piece:
    workspace = owned.workspace
    return Piece(
        owner=owner,
        events=(workspace.events(owner, bucket),),
        earlier=(),
        since=None,
        changes=workspace.changes(owner, bucket),
        values=workspace.values(owner, bucket, 0),
        range_rows=workspace.rows_per_bucket,
    )


def _sliced(
    owned: OwnedBuckets, owner: Owner, bucket: int, slices: Sequence[Slice], first: Sequence[int]
) -> list[Piece]:
    whole = _whole(owned, owner, bucket)
    return [
        whole._replace(
            events=tuple(one.path for one in slices[first[part] : part + 1]),
            earlier=tuple(slices[: first[part]]),
            since=slices[part].start,
            values=owned.workspace.values(owner, bucket, part),
        )
        for part in range(len(slices))
    ]
