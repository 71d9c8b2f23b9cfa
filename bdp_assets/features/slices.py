"""Extremes and distinct counts over many slices of one array at once, in NumPy."""

from __future__ import annotations

import numpy as np

from bdp_assets.features.aggregates import Ints


def extreme(values: Ints, start: Ints, end: Ints, ufunc: np.ufunc, empty: int) -> Ints:
    """`ufunc` (np.minimum or np.maximum) over values[start:end] for each slice, `empty` for an empty one.

    Any shape of slices. A slice of length n is the overlap of two of length 2**k, 2**k <= n: each level k is
    made from the one below and answers the slices it is for, so that one array is all the memory it takes.
    """
    found = np.full(start.shape, empty, dtype=np.int64)
    length = end - start
    level = np.frexp(np.maximum(length, 1).astype(np.float64))[1] - 1
    level[length <= 0] = -1
    offset = int(start[level >= 0].min()) if (level >= 0).any() else 0
    table = values[offset : int(end[level >= 0].max()) if (level >= 0).any() else 0]
    for k in range(int(level.max(initial=-1)) + 1):
        if k:
            half = 1 << (k - 1)
            table = ufunc(table[:-half], table[half:])
        asked = level == k
        if asked.any():
            left, right = start[asked] - offset, end[asked] - offset - (1 << k)
            found[asked] = ufunc(table[left], table[right])
    return found


def distinct(codes: Ints, start: Ints, end: Ints) -> Ints:
    """How many different codes from 0 there are in codes[start:end], for each slice [n].

    Slices must be in order: neither start nor end may go back. A code counts in a slice where it stands for
    the last time. Position i does so in the slices that reach past i, do not reach its next place, and have
    not left i behind: one run of slices, because they are in order. So each position adds 1 where its run
    begins and takes it away where it ends.
    """
    low, high = int(start.min(initial=len(codes))), int(end.max(initial=0))
    if low >= high:
        return np.zeros(len(start), dtype=np.int64)
    place = low + np.flatnonzero(codes[low:high] >= 0)
    begins = end.searchsorted(place, side="right")
    next_place = _next_place(codes[place], place, high)
    ends = np.minimum(end.searchsorted(next_place, side="right"), start.searchsorted(place, side="right"))
    runs = begins < ends
    steps = np.bincount(begins[runs], minlength=len(start) + 1)
    steps -= np.bincount(ends[runs], minlength=len(start) + 1)
    return np.cumsum(steps)[:-1]


def _next_place(codes: Ints, place: Ints, beyond: int) -> Ints:
    """Where the same code stands next; `beyond` where it does not."""
    order = np.argsort(codes, kind="stable")
    same = codes[order][1:] == codes[order][:-1]
    found = np.full(len(place), beyond, dtype=np.int64)
    found[order[:-1][same]] = place[order[1:][same]]
    return found
