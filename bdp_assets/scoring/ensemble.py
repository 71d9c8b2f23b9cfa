"""The ensemble at inference: member graphs, blend, calibration. The same bits for a row in any batch.

What makes it so: sessions with one thread, double-precision trees whose leaf values are multiples of 2^-40
(their sums are exact in any order), elementwise NumPy outside the graphs. Parallelism: own chunks of rows.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import RETRAIN, Bundle, BundleError, Member, ModelInfo
from bdp_assets.scoring.tables import PiecewiseLinear

Doubles = NDArray[np.float64]
CHUNK_ROWS = 5_000


class Graph:
    """One member's ONNX graph in a session of its own."""

    def __init__(self, model: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, rows: Doubles) -> Doubles:
        """float64 [n, n_features] -> raw output, float64 [n]."""
        return np.asarray(self._session.run(None, {self._input: rows})[0], dtype=np.float64)[:, 0]


class Ensemble:
    """Members, blend and calibration of one bundle. Safe to call from many threads."""

    def __init__(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        self.info: ModelInfo = bundle.info
        self._members = [(_graph(bundle, m), PiecewiseLinear(m.table), m.weight) for m in manifest.members]
        self._calibration = PiecewiseLinear(manifest.calibration)

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
        rows = self._checked(matrix)
        chunks = [rows[start : start + CHUNK_ROWS] for start in range(0, len(rows), CHUNK_ROWS)]
        if len(chunks) <= 1:
            return self._score_chunk(rows)
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            return np.concatenate(list(pool.map(self._score_chunk, chunks)))

    def _checked(self, matrix: Doubles) -> Doubles:
        if matrix.ndim != 2 or matrix.shape[1] != len(self.info.feature_names):
            raise ValueError(
                f"the model reads {len(self.info.feature_names)} features a row, got {matrix.shape}"
            )
        # Trees were grown on single-precision inputs: rounding alike takes the same branch on every row.
        with np.errstate(over="ignore"):
            rows = np.ascontiguousarray(matrix.astype(np.float32).astype(np.float64))
        if not np.isfinite(rows).all():
            names = _not_finite(rows, self.info.feature_names)
            raise ValueError(f"features must be finite in single precision: {', '.join(names)}")
        return rows

    def _score_chunk(self, rows: Doubles) -> Doubles:
        if len(rows) == 0:
            return np.empty(0, dtype=np.float64)
        blend = np.zeros(len(rows), dtype=np.float64)
        for graph, table, weight in self._members:
            blend += weight * table(graph(rows))
        return self._calibration(blend)


def _graph(bundle: Bundle, member: Member) -> Graph:
    try:
        return Graph(bundle.file(member.file))
    except (RuntimeError, ort.capi.onnxruntime_pybind11_state.InvalidProtobuf) as error:
        raise BundleError(
            f"{member.file} of model {bundle.info.version} is not a graph: {error}. {RETRAIN}"
        ) from error


def _not_finite(rows: Doubles, names: Sequence[str]) -> list[str]:
    return [names[i] for i in np.flatnonzero((~np.isfinite(rows)).any(axis=0)).tolist()]
