"""The ensemble by ONNX Runtime: what defines its members, and what scores those that are no sums of trees."""

from __future__ import annotations

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bdp_assets.scoring.bundle import RETRAIN, Bundle, BundleError, Member
from bdp_assets.scoring.tables import PiecewiseLinear

Doubles = NDArray[np.float64]
Singles = NDArray[np.float32]


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


class Graphs:
    """Members, blend and calibration of one bundle. Raises BundleError where a member is no graph."""

    def __init__(self, bundle: Bundle) -> None:
        manifest = bundle.manifest
        self._members = [
            (_graph(bundle, member), PiecewiseLinear(member.table), member.weight)
            for member in manifest.members
        ]
        self._calibration = PiecewiseLinear(manifest.calibration)

    def __call__(self, rows: Doubles) -> Doubles | None:
        """float64 [n, n_features] -> float64 [n]; None: not all finite in single precision."""
        # Trees were grown on single-precision inputs: rounding alike takes the same branch on every row.
        with np.errstate(over="ignore"):
            inputs = rows.astype(np.float32).astype(np.float64)
        if not np.isfinite(inputs).all():
            return None
        if len(inputs) == 0:
            return np.empty(0)
        blend = sum(weight * table(graph(inputs)) for graph, table, weight in self._members)
        return self._calibration(np.asarray(blend))


def _graph(bundle: Bundle, member: Member) -> Graph:
    try:
        return Graph(bundle.file(member.file))
    except (RuntimeError, ort.capi.onnxruntime_pybind11_state.InvalidProtobuf) as error:
        raise BundleError(
            f"{member.file} of model {bundle.info.version} is not a graph: {error}. {RETRAIN}"
        ) from error
