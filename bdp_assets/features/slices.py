"""Extremes and distinct counts over many slices of one array at once, in NumPy."""

from __future__ import annotations

import numpy as np

from bdp_assets.features.aggregates import Ints

_SHORT, _FEW = 64, 16_384
"""Up to so many numbers a slice on average, or in all, one after the other is faster than by levels."""


def extreme(values: Ints, start: Ints, end: Ints, ufunc: np.ufunc, empty: int) -> Ints:
    """`ufunc` (np.minimum or np.maximum) over values[start:end] for each slice, `empty` for an empty one.

    Any shape of slices.
    """
    some = end > start
    found = np.empty(start.shape, dtype=np.int64)
    found.fill(empty)
    if some.any():
        first, last = start[some], end[some]
        short = int((last - first).sum()) <= max(_SHORT * len(first), _FEW)
        found[some] = (_one_by_one if short else _by_levels)(values, first, last, ufunc)
    return found


def _one_by_one(values: Ints, start: Ints, end: Ints, ufunc: np.ufunc) -> Ints:
    low, high = int(start.min()), int(end.max())
    bounds = np.empty((len(start), 2), dtype=np.int64)
    bounds[:, 0], bounds[:, 1] = start, end
    bounds -= low
    part = values[low : high + 1]
    if high == len(values):  # No end may lie behind the last number.
        part = np.concatenate([part, values[:1]])
    found: Ints = ufunc.reduceat(part, bounds.reshape(-1))[::2]
    return found


def _by_levels(values: Ints, start: Ints, end: Ints, ufunc: np.ufunc) -> Ints:
    """A slice of length n is the overlap of two of length 2**k, 2**k <= n: each level k is made from the one
    below and answers the slices it is for, so that one array is all the memory it takes."""
    found = np.empty_like(start)
    level = np.frexp((end - start).astype(np.float64))[1] - 1
    low = int(start.min())
    table = values[low : int(end.max())]
    for k in range(int(level.max()) + 1):
        if k:
            half = 1 << (k - 1)
            table = ufunc(table[:-half], table[half:])
        asked = level == k
        if asked.any():
            left, right = start[asked] - low, end[asked] - low - (1 << k)
            found[asked] = ufunc(table[left], table[right])
    return found


def distinct(codes: Ints, start: Ints, end: Ints) -> Ints:
    """How many different codes from 0 there are in codes[start:end], for each slice [n].

    Slices must be in order: neither start nor end may go back. A code counts in a slice where it stands for
    the last time. Position i does so in the slices that reach past i, do not reach its next place, and have
    not left i behind: one run of slices, because they are in order. So each position adds 1 where its run
    begins and takes it away where it ends.
    """
    if len(start) == 1:
        return np.array([sum(code >= 0 for code in set(codes[start[0] : end[0]].tolist()))])
    place = _covered(start, end)
    place = place[codes[place] >= 0]
    begins = end.searchsorted(place, side="right")
    next_place = _next_place(codes[place], place, len(codes))
    ends = np.minimum(end.searchsorted(next_place, side="right"), start.searchsorted(place, side="right"))
    runs = begins < ends
    steps = np.bincount(begins[runs], minlength=len(start) + 1)
    steps -= np.bincount(ends[runs], minlength=len(start) + 1)
    return np.cumsum(steps)[:-1]


def _covered(start: Ints, end: Ints) -> Ints:
    """The positions that lie in any of the slices, ascending."""
    some = end > start
    start, end = start[some], end[some]
    if not len(start):
        return start
    if (start[1:] >= end[:-1]).all():  # Apart from each other: as long as what they cover, and no longer.
        sizes = end - start
        before = np.cumsum(sizes) - sizes
        return np.repeat(start - before, sizes) + np.arange(int(sizes.sum()))
    low = int(start[0])
    steps = np.bincount(start - low, minlength=int(end[-1]) - low + 1)
    steps -= np.bincount(end - low, minlength=len(steps))
    return low + np.flatnonzero(np.cumsum(steps))


def _next_place(codes: Ints, place: Ints, beyond: int) -> Ints:
    """Where the same code stands next; `beyond` where it does not."""
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    found = np.full(len(place), beyond, dtype=np.int64)
    found[order[:-1][same]] = place[order[1:][same]]
    return found
