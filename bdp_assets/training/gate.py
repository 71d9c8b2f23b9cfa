"""What a model must show before it serves: the names of the gates, what each asks for, and a verdict."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

import polars as pl

AVERAGE_PRECISION, COST, CALIBRATION = "average_precision", "cost", "calibration"
REVIEW_CAPACITY = "review_capacity"
EXPORT, BITS, LATENCY, PARITY = "export_equal", "bit_identical", "latency", "online_offline_parity"

ASKED: Mapping[str, str] = MappingProxyType(
    {
        AVERAGE_PRECISION: "Average precision is not worse than the champion's on the same test rows: the "
        "95% interval of the difference (bootstrap over customers) does not lie below zero, and the rows "
        "have frauds enough to tell.",
        COST: "What its policy's decisions would have cost a day is not more than what the champion's would "
        "have: the 95% interval of the difference (bootstrap over customers) does not lie above zero, and "
        "the rows have frauds enough to tell.",
        REVIEW_CAPACITY: "Its policy reviews no more a day than it says that there is time for and a "
        "quarter, or no more than the champion's does of the same test rows.",
        CALIBRATION: "Predicted and observed fraud shares are close, and not much further apart than the "
        "champion's.",
        EXPORT: "The exported graphs give what the training library gives, to 2e-6 on every test row.",
        BITS: "A row's score has the same bits alone and in batches of 7, 2,000 and 100,000.",
        LATENCY: "The score of a single row takes no more than a stated multiple of an empty ONNX graph.",
        PARITY: "What the stream served lately has no feature that the lake can not explain.",
    }
)
"""Gate -> what it asks for, in the order in which they are judged."""
GRAVE = frozenset({EXPORT, BITS})
"""Gates that only a defect fails; the others may fail any model that is no better than the champion."""


@dataclass(frozen=True)
class Gate:
    """A verdict: a name of ASKED, the sentence that says why, the figures behind it.

    Args:
        passed: None where it was not judged.
    """

    name: str
    passed: bool | None
    says: str
    figures: Mapping[str, float] = field(default_factory=dict)
    table: pl.DataFrame | None = None


def failed(gates: Sequence[Gate]) -> list[Gate]:
    return [gate for gate in gates if gate.passed is not None and not gate.passed]


def why_not(gates: Sequence[Gate]) -> str:
    """The gates that failed, each with its reason."""
    return "; ".join(f"{gate.name}: {gate.says}" for gate in failed(gates))


def parity_gate(compared: int, unexplained: int) -> Gate:
    """Of the values that were compared by `online_offline_skew`."""
    if compared == 0:
        return Gate(PARITY, passed=True, says="the stream has served nothing yet that could be compared")
    says = f"{unexplained:,} of {compared:,} served values can not be explained from the lake"
    figures = {"compared": float(compared), "unexplained": float(unexplained)}
    return Gate(PARITY, passed=unexplained == 0, says=says, figures=figures)


NOTHING_SERVED = parity_gate(0, 0)
