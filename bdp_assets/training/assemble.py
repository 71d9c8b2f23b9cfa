"""Fitted members, tables and policy -> the bundle."""

from __future__ import annotations

from bdp_assets.decisions.policy import Policy, encode_policy
from bdp_assets.scoring.bundle import ATTRIBUTIONS, POLICY, Bundle, Member, Table, Training
from bdp_assets.training.export import forest_arrays, isolation_forest_graph, random_forest_graph
from bdp_assets.training.fit import Fitted

IDENTITY = Table((0.0, 1.0), (0.0, 1.0))


def assemble(fitted: Fitted, policy: Policy, training: Training) -> Bundle:
    """Export everything into a bundle in memory."""
    members = (
        Member("random_forest", "random_forest.onnx", IDENTITY, 1.0 - fitted.anomaly_weight),
        Member("isolation_forest", "isolation_forest.onnx", fitted.members.anomaly, fitted.anomaly_weight),
    )
    files = {
        "random_forest.onnx": random_forest_graph(fitted.members.forest),
        "isolation_forest.onnx": isolation_forest_graph(fitted.members.isolation),
        ATTRIBUTIONS: forest_arrays(fitted.members.forest),
        POLICY: encode_policy(policy),
    }
    return Bundle.of(training, members, fitted.calibration, files)
