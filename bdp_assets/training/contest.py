"""Two models on the same rows: their figures, and how sure the differences are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs, Policy
from bdp_assets.decisions.policy_columns import cost_of, decide_all
from bdp_assets.training.bits import Scorer
from bdp_assets.training.bootstrap import DRAWS, Difference, Figure, paired
from bdp_assets.training.pipeline import amounts_of
from bdp_assets.training.split import DAY_MS
from bdp_assets.training.weighted import Calibration, DailyCost, Ranking

Doubles = NDArray[np.float64]
AP, AUC, ERROR, DAILY_COST = "average_precision", "auc", "calibration_error", "cost_a_day_minor"


@dataclass(frozen=True)
class Contender:
    """A model, the policy that it decides by, and its probabilities of the rows that it is judged on."""

    version: str
    scorer: Scorer
    policy: Policy
    probability: Doubles
    export_gap: float | None = None
    """Most that the exported graphs differ from the training library; None: not kept, but within bounds."""


def differences(
    rows: pl.DataFrame, one: Contender, other: Contender, costs: Costs, *, draws: int = DRAWS
) -> dict[str, Difference]:
    """Of each figure, on rows with customer_id, ts_ms, is_fraud and the features.

    Costs are realised: what each model's own policy decides of the rows, by what they turned out to be.
    """
    ones, others = _figures(rows, one, costs), _figures(rows, other, costs)
    pairs = {name: (figure, others[name]) for name, figure in ones.items()}
    return paired(rows["customer_id"], pairs, draws=draws)


def _figures(rows: pl.DataFrame, contender: Contender, costs: Costs) -> dict[str, Figure]:
    fraud, probability, amounts = rows["is_fraud"].to_numpy(), contender.probability, amounts_of(rows)
    ranking = Ranking(probability, fraud)
    decided = decide_all(contender.policy, probability, amounts)
    days = (rows["ts_ms"] // DAY_MS).n_unique()
    return {
        AP: ranking.average_precision,
        AUC: ranking.auc,
        ERROR: Calibration(probability, fraud).error,
        DAILY_COST: DailyCost(cost_of(decided, fraud.astype(np.float64), amounts, costs), days),
    }
