"""The ensemble at inference: members, blend, calibration. The same bits for a row in any batch.

What makes it so: double-precision trees whose leaf values are multiples of 2^-40 (their sums are exact in any
order), and tables without a reordered sum. Sums of trees are scored in one compiled call (ADR 61), other
graphs by sessions with one thread. Parallelism: own chunks of rows.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import RETRAIN, Bundle, BundleError, ModelInfo
from bdp_assets.scoring.graphs import Graphs

Doubles = NDArray[np.float64]
CHUNK_ROWS = 5_000
"""Most rows that a thread scores at once; more are shared out among the cores."""


class Ensemble:
    """Members, blend and calibration of one bundle. Safe to call from many threads."""

    def __init__(self, bundle: Bundle) -> None:
        self.info: ModelInfo = bundle.info
        self._probabilities = _scorer(bundle)

    @classmethod
    def load(cls, directory: Path) -> Ensemble:
        """Load a bundle that was trained on this code's catalog.

        Raises:
            BundleError: missing, corrupt, or trained on another catalog; the message says what to do.
        """
        return cls.of(Bundle.read(directory))

    @classmethod
    def of(cls, bundle: Bundle) -> Ensemble:
        """As `load`, for a bundle that is already read."""
        info = bundle.info
        if info.catalog_version != CATALOG.version or tuple(info.feature_names) != tuple(CATALOG.names):
            raise BundleError(
                f"model {info.version} was trained on feature catalog {info.catalog_version}, "
                f"this code computes {CATALOG.version}. {RETRAIN}"
            )
        return cls(bundle)

    def score(self, matrix: Doubles) -> Doubles:
        """Calibrated fraud probability of each row.

        Args:
            matrix: float64 [n, n_features], finite, columns in the order of `info.feature_names`.

        Returns:
            float64 [n] in [0, 1]; a row's value does not depend on the other rows.

        Raises:
            ValueError: wrong shape, or a value that is not finite in single precision.
        """
        if matrix.ndim != 2 or matrix.shape[1] != len(self.info.feature_names):
            raise ValueError(
                f"the model reads {len(self.info.feature_names)} features a row, got {matrix.shape}"
            )
        if len(matrix) <= CHUNK_ROWS:
            return self._score(matrix)
        chunks = [matrix[start : start + CHUNK_ROWS] for start in range(0, len(matrix), CHUNK_ROWS)]
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            return np.concatenate(list(pool.map(self._score, chunks)))

    def _score(self, rows: Doubles) -> Doubles:
        scores = self._probabilities(np.ascontiguousarray(rows, dtype=np.float64))
        if scores is None:
            names = _not_finite(rows, self.info.feature_names)
            raise ValueError(f"features must be finite in single precision: {', '.join(names)}")
        return scores


def _scorer(bundle: Bundle) -> Callable[[Doubles], Doubles | None]:
    """Float64 [n, n_features] -> probabilities; None where a value is not finite in single precision."""
    from bdp_assets.scoring.packed import Packed  # loads Numba and onnx

    return Packed.of(bundle) or Graphs(bundle)


def _not_finite(rows: Doubles, names: Sequence[str]) -> list[str]:
    with np.errstate(over="ignore"):
        finite = np.isfinite(rows.astype(np.float32)).all(axis=0)
    return [names[i] for i in np.flatnonzero(~finite).tolist()]
