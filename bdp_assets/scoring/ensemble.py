"""The ensemble at inference: member graphs, blend, calibration. The same bits for a row in any batch.

What makes it so: sessions with one thread, double-precision trees whose leaf values are multiples of 2^-40
(their sums are exact in any order), elementwise NumPy outside the graphs. Parallelism: own chunks of rows.
Many rows go down the graphs' trees by compiled loops: the same bits in less than half of the time (ADR 19).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import RETRAIN, Bundle, BundleError, Member, ModelInfo
from bdp_assets.scoring.tables import PiecewiseLinear
from bdp_assets.scoring.trees import Trees, trees_of

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]
CHUNK_ROWS = 5_000
"""Most rows that the graphs score at once; more are many."""
FEW_ROWS = 16
"""Up to so many rows, tables are faster on plain numbers than on arrays; the bits are the same."""


class Graph:
    """One member's ONNX graph in a session of its own."""

    def __init__(self, model: bytes) -> None:
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        options.execution_mode = ort.ExecutionMode.ORT_SEQUENTIAL
        self._session = ort.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        self._input = self._session.get_inputs()[0].name

    def __call__(self, rows: Doubles | Singles) -> Doubles:
        """float [n, n_features] -> raw output, float64 [n]."""
        doubles = rows.astype(np.float64, copy=False)
        return np.asarray(self._session.run(None, {self._input: doubles})[0], dtype=np.float64)[:, 0]


class Ensemble:
    """Members, blend and calibration of one bundle. Safe to call from many threads."""

    def __init__(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        self.info: ModelInfo = bundle.info
        self._graphs = [_graph(bundle, member) for member in manifest.members]
        self._files = [bundle.file(member.file) for member in manifest.members]
        self._tables = [(PiecewiseLinear(member.table), member.weight) for member in manifest.members]
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
        if matrix.ndim != 2 or matrix.shape[1] != len(self.info.feature_names):
            raise ValueError(
                f"the model reads {len(self.info.feature_names)} features a row, got {matrix.shape}"
            )
        if len(matrix) <= CHUNK_ROWS:
            return self._by_graphs(matrix)
        walks = self._walks  # Made once, before there are threads.
        chunks = [matrix[start : start + CHUNK_ROWS] for start in range(0, len(matrix), CHUNK_ROWS)]
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            return np.concatenate(list(pool.map(lambda chunk: self._by_walks(walks, chunk), chunks)))

    @cached_property
    def _walks(self) -> list[Trees | Graph]:
        """Each member's trees; its graph where that is something else."""
        pairs = zip(self._files, self._graphs, strict=True)
        return [trees_of(content) or graph for content, graph in pairs]

    def _by_graphs(self, rows: Doubles) -> Doubles:
        if len(rows) == 0:
            return np.empty(0, dtype=np.float64)
        doubles = self._singles(rows).astype(np.float64)
        outputs = (graph(doubles) for graph in self._graphs)
        return self._blended_few(outputs) if len(rows) <= FEW_ROWS else self._blended(outputs)

    def _by_walks(self, walks: Sequence[Callable[[Singles], Doubles]], rows: Doubles) -> Doubles:
        singles = self._singles(rows)
        return self._blended(walk(singles) for walk in walks)

    def _singles(self, rows: Doubles) -> Singles:
        # Trees were grown on single-precision inputs: rounding alike takes the same branch on every row.
        with np.errstate(over="ignore"):
            singles = np.ascontiguousarray(rows, dtype=np.float32)
        if not np.isfinite(singles).all():
            names = _not_finite(singles, self.info.feature_names)
            raise ValueError(f"features must be finite in single precision: {', '.join(names)}")
        return singles

    def _blended_few(self, outputs: Iterable[Doubles]) -> Doubles:
        parts = [
            [weight * table.of_one(value) for value in output.tolist()]
            for output, (table, weight) in zip(outputs, self._tables, strict=True)
        ]
        return np.array([self._calibration.of_one(_added(row)) for row in zip(*parts, strict=True)])

    def _blended(self, outputs: Iterable[Doubles]) -> Doubles:
        parts = [
            weight * table(output) for output, (table, weight) in zip(outputs, self._tables, strict=True)
        ]
        return self._calibration(np.asarray(sum(parts)))


def _added(parts: Iterable[float]) -> float:
    """One addition after the other: since Python 3.12 its `sum` rounds otherwise."""
    total = 0.0
    for part in parts:
        total += part
    return total


def _graph(bundle: Bundle, member: Member) -> Graph:
    try:
        return Graph(bundle.file(member.file))
    except (RuntimeError, ort.capi.onnxruntime_pybind11_state.InvalidProtobuf) as error:
        raise BundleError(
            f"{member.file} of model {bundle.info.version} is not a graph: {error}. {RETRAIN}"
        ) from error


def _not_finite(rows: Singles, names: Sequence[str]) -> list[str]:
    return [names[i] for i in np.flatnonzero((~np.isfinite(rows)).any(axis=0)).tolist()]
