"""The compiled loops do what a line of Python says, whatever they are given."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bdp_assets.features import compiled
from bdp_assets.features.compiled import codes
from bdp_assets.features.compiled.extremes import build_pyramids, extreme, pyramid_size
from bdp_assets.features.compiled.histories import places_before, run_starts
from bdp_assets.features.compiled.places import place
from bdp_assets.features.compiled.spreads import multiplied, nearest, spread
from bdp_assets.features.compiled.stored import by_time

UNTOUCHED = """
import sys
import bdp_assets.features.online, bdp_assets.features.batch, bento.serving, bdp_assets.definitions
assert "numba" not in sys.modules, "loaded by an import alone"
from bdp_assets.features import compiled
compiled.load()
assert "numba" in sys.modules
"""


def test_numba_is_loaded_with_the_first_loop_and_not_before() -> None:
    done = subprocess.run([sys.executable, "-c", UNTOUCHED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-500:]


def test_a_loop_that_there_is_not() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        compiled.nothing  # noqa: B018


numbers = st.lists(st.integers(-5, 20), max_size=700)


def ints(values: list[int]) -> Any:
    return np.array(values, dtype=np.int64)


@given(numbers, st.integers(-7, 22), st.integers(0, 800))
def test_a_place_is_found_from_anywhere(values: list[int], wanted: int, near: int) -> None:
    keys = np.sort(ints(values))
    assert place(keys, wanted, near) == np.searchsorted(keys, wanted)


@given(numbers, st.integers(0, 700), st.integers(0, 700), st.sampled_from((codes.LEAST, codes.GREATEST)))
def test_the_extreme_of_any_slice(values: list[int], start: int, end: int, code: int) -> None:
    start, end = min(start, len(values)), min(end, len(values))
    looks = ints(values).reshape(1, -1)
    levels = np.empty((1, pyramid_size(len(values))), dtype=np.int64)
    build_pyramids(looks, ints([code]), levels)
    lowest, none = code == codes.LEAST, 99 if code == codes.LEAST else -99
    found = extreme(looks[0], levels[0], (start, end), lowest, none)
    assert found == (min if lowest else max)(values[start:end], default=none)


def test_a_pyramid_of_many_levels() -> None:
    values = np.random.default_rng(0).integers(0, 2**40, 70_000)
    looks = values.reshape(1, -1)
    levels = np.empty((1, pyramid_size(len(values))), dtype=np.int64)
    build_pyramids(looks, ints([codes.GREATEST]), levels)
    for start, end in np.random.default_rng(1).integers(0, len(values), (300, 2)).tolist():
        found = extreme(looks[0], levels[0], (start, end), False, -1)
        assert found == max(values[start:end].tolist(), default=-1)


@given(st.lists(st.sampled_from((-1, 0, 1, 2, 2**62 + 1, 2**63 - 1)), max_size=60), st.integers(0, 60))
def test_places_before(ids: list[int], first: int) -> None:
    table = np.full(1 << (len(ids).bit_length() + 1), -1, dtype=np.int64)
    found = np.empty(len(ids), dtype=np.int64)
    places_before(ints(ids), first, table, found)
    for i, code in list(enumerate(ids))[first:]:
        before = [j for j in range(first, i) if ids[j] == code]
        assert found[i] == (codes.NOWHERE if code < 0 else max(before, default=-1))


@given(
    st.lists(
        st.tuples(st.integers(0, 1), st.integers(0, 20), st.integers(0, 1), st.integers(-1, 2)), max_size=60
    )
)
@example([(0, 20, 1, 1), (1, 0, 1, 0)])  # Two entities' tiles, one of which would end in the other.
def test_run_starts(rows: list[tuple[int, int, int, int]]) -> None:
    rows = sorted(rows, key=lambda row: row[:2])
    entity, ts, events, matching = (ints([row[column] for row in rows]) for column in range(4))
    hop, shift, span = 5, 1, 23
    starts = np.empty(len(rows), dtype=np.int64)
    run_starts(entity * span + ts + shift, shift, span, hop, events, matching, starts)
    tiles = [(row[0], row[1] // hop) for row in rows]
    for end in range(len(rows)):
        if end + 1 < len(rows) and tiles[end + 1] == tiles[end]:
            continue  # In the middle of a tile: nobody looks there.
        start = end + 1
        while (
            start
            and sum(row[3] - row[2] for row, t in zip(rows, tiles, strict=True) if t == tiles[start - 1]) >= 0
        ):
            start = tiles.index(tiles[start - 1])
        assert starts[end] == start


@given(numbers)
def test_events_by_time_stay_as_they_came(times: list[int]) -> None:
    at, ts = np.arange(len(times)), ints(times)
    exact = at % 3 > 0
    by_time(at, ts, exact)
    order = sorted(range(len(times)), key=times.__getitem__)
    assert (at.tolist(), ts.tolist()) == (order, sorted(times))
    assert exact.tolist() == [i % 3 > 0 for i in order]


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_a_product_of_128_bits_and_its_nearest_double(a: int, b: int) -> None:
    high, low = multiplied(np.uint64(a), np.uint64(b))
    assert (int(high) << 64) + int(low) == a * b
    assert nearest(np.uint64(high), np.uint64(low)) == float(a * b)


@given(st.integers(0, 2**53 - 1), st.integers(1, 127), st.integers(-2, 2))
def test_halves_between_two_doubles_go_to_the_even_one(mantissa: int, up: int, aside: int) -> None:
    number = min(max(((2 * mantissa + 1) << up) + aside, 0), 2**128 - 1)
    high, low = number >> 64, number & (2**64 - 1)
    assert nearest(np.uint64(high), np.uint64(low)) == float(number)


@given(st.lists(st.integers(0, 2**40 - 1), min_size=1, max_size=50))
def test_a_spread_is_exact_before_it_is_rounded(values: list[int]) -> None:
    squares = [value * value for value in values]
    high = sum(square >> codes.SQUARE_BITS for square in squares)
    low = sum(square % 2**codes.SQUARE_BITS for square in squares)
    wanted = float(len(values) * sum(squares) - sum(values) ** 2)
    assert spread(len(values), sum(values), high, low) == wanted


def test_a_spread_that_is_too_large_says_so() -> None:
    with pytest.raises(OverflowError, match="too large"):
        spread(2**40, 2**62, 2**62, 0)
