"""Why the forest scored a row as it did: additive contributions along the decision paths.

Each step from a node to its child moves the expected fraud share; the move is credited to the feature that
the node splits on. A row's contributions plus the forest's base rate are its forest probability.
"""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from io import BytesIO
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bdp_assets.scoring.bundle import ATTRIBUTIONS, RETRAIN, Bundle, BundleError


class ForestPaths:
    """All paths of a forest.

    Args:
        arrays: nodes of all trees, end to end; a leaf is its own child.
            feature int [nodes], split feature (at a leaf any valid index);
            threshold float64 [nodes], left when the input is <= it;
            left, right int [nodes], the children;
            value float [nodes], fraud share among the node's training rows;
            roots int [trees].
    """

    def __init__(self, arrays: Mapping[str, NDArray[Any]]) -> None:
        from bdp_assets.scoring.paths import NODE  # loads Numba

        self._nodes = np.empty(len(arrays["feature"]), dtype=NODE)
        for name in ("threshold", "value", "feature", "left", "right"):
            self._nodes[name] = arrays[name]
        self._roots = arrays["roots"].astype(np.int64)

    @classmethod
    def of(cls, bundle: Bundle) -> ForestPaths:
        """Raises BundleError when the bundle has no attributions or they can not be read."""
        content = bundle.file(ATTRIBUTIONS)
        try:
            with np.load(BytesIO(content), allow_pickle=False) as arrays:
                return cls(arrays)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise BundleError(
                f"{ATTRIBUTIONS} of model {bundle.info.version} is not readable. {RETRAIN}"
            ) from error

    @property
    def base(self) -> float:
        """Forest probability before any feature is known."""
        return float(self._nodes["value"][self._roots].mean())

    def contributions(self, matrix: NDArray[np.float64]) -> NDArray[np.float64]:
        """float64 [n, n_features] -> share of each feature in each row's forest probability, same shape."""
        from bdp_assets.scoring.paths import add_moves  # loads Numba

        inputs = np.ascontiguousarray(matrix.astype(np.float32).astype(np.float64))
        total = np.zeros(matrix.shape)
        add_moves(inputs, self._nodes, self._roots, total)
        return total / self._roots.size
