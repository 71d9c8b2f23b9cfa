"""Two models on the same rows: their figures, and how sure the differences are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.decisions.local_policies import LocalPolicies
from bdp_assets.decisions.policy import Costs, Policy
from bdp_assets.decisions.policy_columns import REVIEW, Decisions, cost_of, decide_all
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.training.bits import Scorer
from bdp_assets.training.bootstrap import Difference, Figure, paired
from bdp_assets.training.outcomes import Outcomes
from bdp_assets.training.pipeline import EXPORT_GAP, TrainedModel, amounts_of, matrix_of
from bdp_assets.training.split import DAY_MS
from bdp_assets.training.weighted import Calibration, DailyCost, Ranking

Doubles = NDArray[np.float64]
AP, AUC, ERROR, DAILY_COST = "average_precision", "auc", "calibration_error", "cost_a_day_minor"
FIGURES = (AP, AUC, ERROR, DAILY_COST)


@dataclass(frozen=True)
class Contender:
    """A model, the policy that it decides by, and its probabilities of the rows that it is judged on."""

    version: str
    scorer: Scorer
    policy: Policy
    probability: Doubles
    export_gap: float | None = None
    """Most that the exported graphs differ from the training library; None: not kept, but within bounds."""

    @classmethod
    def of(cls, folder: Path, rows: pl.DataFrame) -> Contender:
        """A bundle on this machine, by the policy that serves with it.

        Raises BundleError: it is damaged, or can not score today's features.
        """
        bundle = Bundle.read(folder)
        ensemble, policy = Ensemble.of(bundle), LocalPolicies.beside(folder, bundle).serving()
        gap = bundle.info.metrics.get(EXPORT_GAP)
        return cls(bundle.info.version, ensemble, policy, ensemble.score(matrix_of(rows)), gap)

    @classmethod
    def of_trained(cls, trained: TrainedModel, version: str) -> Contender:
        """A model as it was tested, on its test rows."""
        probability, gap = trained.test["probability"].to_numpy(), trained.metrics.get(EXPORT_GAP)
        return cls(version, Ensemble.of(trained.bundle), trained.policy, probability, gap)


def differences(
    rows: pl.DataFrame, one: Contender, other: Contender, costs: Costs, names: Sequence[str] = FIGURES
) -> dict[str, Difference]:
    """Of the named figures, on rows with customer_id, ts_ms, is_fraud and the features.

    Costs are realised: what each model's own policy decides of the rows, by what they turned out to be.
    """
    ones, others = _figures(rows, one, costs), _figures(rows, other, costs)
    return paired(rows["customer_id"], {name: (ones[name], others[name]) for name in names})


def reviews_a_day(rows: pl.DataFrame, contender: Contender) -> float:
    """Of the rows, as the contender's own policy decides them."""
    return int((_decided(rows, contender) == REVIEW).sum()) / _days(rows)


def _figures(rows: pl.DataFrame, contender: Contender, costs: Costs) -> dict[str, Figure]:
    outcomes = Outcomes(contender.probability, amounts_of(rows), rows["is_fraud"].to_numpy(), _days(rows))
    return figures(outcomes, _decided(rows, contender), costs)


def _decided(rows: pl.DataFrame, contender: Contender) -> Decisions:
    return decide_all(contender.policy, contender.probability, amounts_of(rows))


def _days(rows: pl.DataFrame) -> int:
    return (rows["ts_ms"] // DAY_MS).n_unique()


def figures(rows: Outcomes, decided: Decisions, costs: Costs) -> dict[str, Figure]:
    """FIGURES of scored rows and what was decided of each (int8 [n])."""
    ranking = Ranking(rows.probability, rows.fraud)
    cost = cost_of(decided, rows.fraud.astype(np.float64), rows.amounts, costs)
    return {
        AP: ranking.average_precision,
        AUC: ranking.auc,
        ERROR: Calibration(rows.probability, rows.fraud).error,
        DAILY_COST: DailyCost(cost, rows.days),
    }
