"""How far training days are from each other: what a new day's distance is measured by.

The cube root of a divergence is close to normal (Wilson and Hilferty, of what is distributed as chi-squared),
so mean and standard deviation over days make a Student's t for one day more.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import numpy as np
from scipy import stats

from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.fields import Bools
from bdp_assets.monitoring.drift.bins import MISSING, Floats, Ints
from bdp_assets.monitoring.drift.bounds import LEAST_ROWS
from bdp_assets.monitoring.drift.distance import divergence, shares
from bdp_assets.monitoring.drift.memory import days_per_block
from bdp_assets.monitoring.drift.reference import Reference
from bdp_assets.monitoring.drift.seasons import alike

GAP_DAYS = 14
"""Training days are compared with those at least so far from them: live days have no neighbours there."""
LEAST_FREEDOM = 7.0
"""However long a quantity remembers: with less, nothing but a dead one would be found."""
ROWS_TOGETHER = 10
"""Rows of one customer come together: so many of them tell no more than one."""


@dataclass(frozen=True)
class Nearest:
    """A day against the training days that are like it: of its seasons the one that it is nearest to.

    `divergence` [quantities, segments], and `counts` [quantities, segments, BINS] of those training days.
    """

    divergence: Floats
    counts: Ints


def nearest(day: date, counts: Ints, reference: Reference, gap: int = 1) -> Nearest:
    """`counts` [quantities, segments, BINS] of a day; training days nearer than `gap` days are left out."""
    seasons = alike(day, reference.days, gap).values()
    pools = np.stack([reference.counts[at].sum(axis=0) for at in seasons])
    apart = divergence(np.broadcast_to(counts, pools.shape), pools)
    best = np.where(np.isnan(apart), np.inf, apart).argmin(axis=0)
    return Nearest(
        np.take_along_axis(apart, best[None], axis=0)[0],
        np.take_along_axis(pools, best[None, ..., None], axis=0)[0],
    )


@dataclass(frozen=True)
class Spread:
    """Arrays [quantities, segments] over the training days that have rows enough and others to compare with.

    `rows`: mean of a day; `mean`, `deviation`: of the cube roots of the days' divergences; `independent`: how
    many independent days the days are worth; `others`: least share of a day outside its fullest bin;
    `complete`: whether no row of any day lacked the value.
    """

    days: Ints
    rows: Floats
    mean: Floats
    deviation: Floats
    independent: Floats
    others: Floats
    complete: Bools

    @classmethod
    def of(cls, reference: Reference) -> Spread:
        """Each training day against the others that are like it."""
        days, counts = reference.days, reference.counts
        apart = np.stack(
            [nearest(day, counts[at], reference, GAP_DAYS).divergence for at, day in enumerate(days)]
        )
        rows = counts.sum(axis=-1)
        usable = (rows >= LEAST_ROWS) & ~np.isnan(apart)
        number = usable.sum(axis=0)
        roots = np.where(usable, np.cbrt(apart), np.nan)
        size, mean = _mean(np.where(usable, rows, np.nan), number), _mean(roots, number)
        squares = np.nansum((roots - mean) ** 2, axis=0)
        deviation = np.maximum(np.sqrt(squares / np.maximum(number - 1, 1)), _least_deviation(size))
        complete: Bools = counts[..., MISSING].sum(axis=0) == 0
        blocks = np.array(days_per_block(CATALOG, reference.quantities))[:, None]
        independent = np.maximum(_uncorrelated(roots - mean, number) / blocks, LEAST_FREEDOM)
        others = np.where(usable, 1 - shares(counts).max(axis=-1), 1.0).min(axis=0, initial=1.0)
        return cls(number, size, mean, deviation, independent, others, complete)

    def p_values(self, apart: Floats, day: Ints, bins: Ints) -> Floats:
        """Chance [quantities, segments] of such a day, or a stranger one, if it is as training days are.

        `apart`: the day's divergence; `day`: its counts; `bins`: how many bins are in use.
        """
        rows = day.sum(axis=-1)
        # A day of fewer rows than usual is further away by chance alone.
        excess = np.maximum(1 / np.maximum(rows, 1) - 1 / np.maximum(self.rows, 1), 0.0) * (bins - 1) / 8
        roots = np.cbrt(np.maximum(apart - excess, 0.0))
        scale = self.deviation * np.sqrt(1 + 1 / self.independent)
        far: Floats = stats.t.sf((roots - self.mean) / scale, self.independent - 1)
        chance: Floats = np.minimum(2 * np.minimum(far, self._dead(day, rows)), 1.0)
        return chance

    def _dead(self, day: Ints, rows: Ints) -> Floats:
        """Chance that no row is outside one bin, or that so many lack a value that none lacked in training.

        1 where it is neither. It does not depend on what a quantity remembers, as days' distances do.
        """
        stuck = np.where(day.max(axis=-1) == rows, self.others * rows, 0.0)
        absent = np.where(self.complete, day[..., MISSING], 0)
        chance: Floats = np.exp(-np.maximum(stuck, absent) / ROWS_TOGETHER)
        return chance


def _mean(values: Floats, number: Ints) -> Floats:
    mean: Floats = np.nansum(values, axis=0) / np.maximum(number, 1)
    return mean


def _least_deviation(rows: Floats) -> Floats:
    """That of one free share in samples of so many rows: what is always the same has none of its own."""
    floor: Floats = np.cbrt(1 / (8 * np.maximum(rows, 1))) * np.sqrt(2 / 9)
    return floor


def _uncorrelated(off: Floats, number: Ints) -> Floats:
    """How many uncorrelated days the days are worth, by the correlation of each with the next.

    `off` [days, ...]: how far a day is from the mean, NaN where it is not used.
    """
    together, alone = np.nansum(off[1:] * off[:-1], axis=0), np.nansum(off**2, axis=0)
    lag = np.clip(np.divide(together, alone, out=np.zeros(alone.shape), where=alone > 0), 0.0, 0.95)
    worth: Floats = number * (1 - lag) / (1 + lag)
    return worth
