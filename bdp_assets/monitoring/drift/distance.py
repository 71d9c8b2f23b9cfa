"""How far two histograms are from each other. All take counts [..., BINS] and reduce the last axis."""

from __future__ import annotations

import numpy as np
from scipy.spatial.distance import jensenshannon

from bdp_assets.monitoring.drift.bins import Floats, Ints

SMALLEST_SHARE = 1e-4
"""An empty bin counts as this share, since a PSI of an empty bin has no end."""


def shares(counts: Ints) -> Floats:
    """0 where there is no row at all."""
    total = counts.sum(axis=-1, keepdims=True)
    found: Floats = np.divide(counts, total, out=np.zeros(counts.shape), where=total > 0)
    return found


def divergence(one: Ints, other: Ints) -> Floats:
    """Jensen-Shannon divergence in nats, from 0 to log 2; NaN where a side has no rows."""
    with np.errstate(invalid="ignore", divide="ignore"):
        distance: Floats = jensenshannon(one.astype(float), other.astype(float), axis=-1)
    return distance**2


def psi(day: Ints, reference: Ints) -> Floats:
    """Population stability index, less what samples of these sizes are expected to differ by; at least 0."""
    here, there = (np.maximum(shares(side), SMALLEST_SHARE) for side in (day, reference))
    used = (day + reference) > 0
    raw = np.where(used, (here - there) * np.log(here / there), 0.0).sum(axis=-1)
    index: Floats = np.maximum(raw - _freedom(reference) * _noise(day, reference), 0.0)
    return index


def kolmogorov_smirnov(day: Ints, reference: Ints) -> Floats:
    """Largest difference of the cumulative shares at an edge of the bins."""
    gap: Floats = np.abs(np.cumsum(shares(day) - shares(reference), axis=-1)).max(axis=-1)
    return gap


def _freedom(reference: Ints) -> Floats:
    """Bins that the reference uses, less one."""
    freedom: Floats = np.maximum((reference > 0).sum(axis=-1) - 1.0, 0.0)
    return freedom


def _noise(day: Ints, reference: Ints) -> Floats:
    here, there = (np.maximum(side.sum(axis=-1), 1) for side in (day, reference))
    noise: Floats = 1.0 / here + 1.0 / there
    return noise
