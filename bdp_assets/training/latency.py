"""How long the score of a single row takes, as a multiple of an ONNX graph that does nothing.

Both are measured in turns: a busy machine slows both, so that the ratio says what the model is.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from onnx import TensorProto, helper

from bdp_assets.scoring.graphs import Graph
from bdp_assets.training.bits import Scorer
from bdp_assets.training.export import IR_VERSION, OPSET

Doubles = NDArray[np.float64]
ROUNDS = 500
WARM_UP = 20


@dataclass(frozen=True)
class Latency:
    """Medians in microseconds."""

    score_us: float
    floor_us: float

    @property
    def ratio(self) -> float:
        return self.score_us / self.floor_us


def single_row(
    scorer: Scorer,
    matrix: Doubles,
    *,
    rounds: int = ROUNDS,
    clock_ns: Callable[[], int] = time.perf_counter_ns,
) -> Latency:
    """Score one row after the other, and have each pass through the empty graph, too."""
    floor = Graph(_empty_graph(matrix.shape[1]))
    taken = []
    for number in range(WARM_UP + rounds):
        row = matrix[number % len(matrix)][np.newaxis]
        begin = clock_ns()
        scorer.score(row)
        between = clock_ns()
        floor(row)
        taken.append((between - begin, clock_ns() - between))
    score_ns, floor_ns = np.median(taken[WARM_UP:], axis=0)
    return Latency(float(score_ns) / 1000, float(floor_ns) / 1000)


def _empty_graph(width: int) -> bytes:
    """Returns what it is given."""
    given, returned = (
        helper.make_tensor_value_info(name, TensorProto.DOUBLE, [None, width]) for name in ("rows", "same")
    )
    graph = helper.make_graph(
        [helper.make_node("Identity", ["rows"], ["same"])], "empty", [given], [returned]
    )
    opset = helper.make_opsetid("", OPSET)
    model = helper.make_model(graph, opset_imports=[opset], ir_version=IR_VERSION)
    return bytes(model.SerializeToString())
