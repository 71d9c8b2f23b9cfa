"""Who scores: our ensemble, the library that grew its members, and ONNX Runtime on its graphs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import joblib
import numpy as np
from numpy.typing import NDArray

from bdp_assets.scoring.ensemble import CHUNK_ROWS
from benchmarks.score.world import CORES, World

Doubles = NDArray[np.float64]


def ours(world: World) -> Doubles:
    """As `bdp score` and the asset call it."""
    return world.ensemble.score(world.matrix)


def sklearn(world: World) -> Doubles:
    """`predict_proba` and `score_samples`, blended and calibrated alike.

    An isolation forest has no jobs of its own when it predicts: it takes those of the context.
    """
    with joblib.parallel_config(backend="threading", n_jobs=CORES):
        return world.fitted.predict(world.matrix)


def onnxruntime(world: World) -> Doubles:
    """The graphs that define the members, each session with one thread, and chunks side by side."""
    rows = world.matrix
    chunks = [rows[start : start + CHUNK_ROWS] for start in range(0, len(rows), CHUNK_ROWS)]
    with ThreadPoolExecutor(max_workers=CORES) as pool:
        return np.concatenate(list(pool.map(world.graphs, chunks)))
