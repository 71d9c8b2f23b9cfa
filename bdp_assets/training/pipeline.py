"""Training from end to end: split, fit, blend and calibrate forward in time, export, test the export."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
from msgspec import Struct
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs, Policy
from bdp_assets.decisions.tuning import COSTS, cheapest_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.attributions import ForestPaths
from bdp_assets.scoring.bundle import Bundle, Training
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets.scoring.tables import PiecewiseLinear
from bdp_assets.training.assemble import assemble
from bdp_assets.training.evaluate import metrics
from bdp_assets.training.fit import Fitted, Recipe, anomaly_weight, blend, calibration_table, fit_members
from bdp_assets.training.importances import importances
from bdp_assets.training.outcomes import Outcomes
from bdp_assets.training.plots import plots
from bdp_assets.training.split import DAY_MS, Split, TrainingData, TrainingError, hold_out

Doubles = NDArray[np.float64]
Progress = Callable[[str], None]
DEFAULT = Recipe()
AGREEMENT = 2e-6
EXPORT_GAP = "export_gap"
FIT_EARLY = "fit members on the window's early days"
FIT_WHOLE = "fit members on the whole window"
EXPORT = "export to ONNX"
TEST = "test the export and plot"
PHASES = (FIT_EARLY, FIT_WHOLE, EXPORT, TEST)
EXAMPLE_ROWS = 5
HOLD_OUT_SHARE = 0.25
AMOUNT = "amount_value"


class Source(Struct, frozen=True, kw_only=True):
    """What the model is called and made of. `trained_at_ms` is UTC epoch milliseconds."""

    name: str
    trained_at_ms: int
    snapshot_version: str | None = None
    git_sha: str | None = None


@dataclass(frozen=True)
class TrainedModel:
    """A model that was tested as it will serve."""

    bundle: Bundle
    policy: Policy
    split: Split
    cut_ms: int
    """Nothing that became known later was used, UTC epoch milliseconds."""
    recipe: Recipe
    seed: int
    test: pl.DataFrame
    """Test rows: transaction_id, customer_id, ts_ms, the features, is_fraud, and this model's probability."""
    plots: dict[str, bytes]
    documents: dict[str, bytes] = field(default_factory=dict)
    """What else is kept with the model in the registry, by file name."""
    snapshot_is_named: bool = False
    """Whether somebody said which versions of the lake's tables it is made of; else they were the latest."""

    @property
    def metrics(self) -> dict[str, float]:
        return self.bundle.manifest.training.metrics

    @property
    def test_matrix(self) -> Doubles:
        """Features of the test rows, float64 [n, n_features]."""
        return matrix_of(self.test)

    @property
    def input_example(self) -> pl.DataFrame:
        return self.test.select(self.bundle.info.feature_names).head(EXAMPLE_ROWS)

    def save(self, directory: Path) -> Path:
        return self.bundle.write(directory)


def train(  # noqa: PLR0913 - what a model and its policy are made of
    data: TrainingData,
    source: Source,
    *,
    recipe: Recipe = DEFAULT,
    costs: Costs = COSTS,
    seed: int = 0,
    progress: Progress = lambda step: None,
) -> TrainedModel:
    """Train on the first window of the data's split and test the exported bundle on the last.

    Args:
        costs: what the policy is tuned for.
        progress: called with each of PHASES as it begins.

    Raises:
        TrainingError: a window has no rows or no fraud, or the export disagrees with the library.
    """
    fitted, policy = fit_and_tune(data.train_rows(), recipe, costs, seed, progress)
    progress(EXPORT)
    training = Training(
        **msgspec.structs.asdict(source),
        catalog_version=CATALOG.version,
        feature_names=tuple(CATALOG.names),
        metrics={},
        train_end_ms=data.split.train_end_ms,
    )
    draft = assemble(fitted, policy, training)
    progress(TEST)
    test, gap = _scored(data.test_rows(), draft, fitted)
    bundle = draft.with_metrics({**metrics(test), EXPORT_GAP: gap})
    return TrainedModel(
        bundle, policy, data.split, data.cut_ms, recipe, seed, test, plots_of(bundle, policy, test)
    )


def fit_and_tune(
    rows: pl.DataFrame, recipe: Recipe, costs: Costs, seed: int, progress: Progress
) -> tuple[Fitted, Policy]:
    """Blend, calibrate and tune on the window's last days by members that did not see them; then refit."""
    everything = _fraud(rows, "training")
    early, held = hold_out(rows, HOLD_OUT_SHARE)
    progress(FIT_EARLY)
    members = fit_members(matrix_of(early), _fraud(early, "early training"), recipe, seed)
    outputs, fraud = members.outputs(matrix_of(held)), _fraud(held, "held-out training")
    weight = anomaly_weight(outputs, fraud)
    scores = blend(outputs, weight)
    calibration = calibration_table(scores, fraud)
    days = float(np.ptp(held["ts_ms"].to_numpy())) / DAY_MS
    policy = cheapest_policy(PiecewiseLinear(calibration)(scores), amounts_of(held), days, costs)
    progress(FIT_WHOLE)
    return Fitted(fit_members(matrix_of(rows), everything, recipe, seed), weight, calibration), policy


def _scored(test: pl.DataFrame, draft: Bundle, fitted: Fitted) -> tuple[pl.DataFrame, float]:
    """Test rows with the probability of the exported bundle, and how far it is from the library's at most."""
    matrix = matrix_of(test)
    probability = Ensemble.of(draft).score(matrix)
    gap = float(np.abs(probability - fitted.predict(matrix)).max(initial=0.0))
    if gap > AGREEMENT:
        raise TrainingError(
            f"the exported graphs differ from the training library by {gap:.1e} (most allowed {AGREEMENT}): "
            "nothing is registered. The versions of scikit-learn and onnxruntime may not fit each other."
        )
    return test.with_columns(probability=pl.Series(probability)), gap


def plots_of(bundle: Bundle, policy: Policy, test: pl.DataFrame) -> dict[str, bytes]:
    days = (test["ts_ms"] // DAY_MS).n_unique()
    probability, fraud = test["probability"].to_numpy(), test["is_fraud"].to_numpy()
    outcomes = Outcomes(probability, amounts_of(test), fraud, days)
    return plots(outcomes, policy, importances(ForestPaths.of(bundle), matrix_of(test), fraud))


def matrix_of(rows: pl.DataFrame) -> Doubles:
    """float64 [n, n_features] in catalog order."""
    return rows.select(CATALOG.names).to_numpy()


def amounts_of(rows: pl.DataFrame) -> Doubles:
    """Amounts in minor units of the base currency, whole numbers as float64."""
    return np.round(rows[AMOUNT].to_numpy() * 100)


def _fraud(rows: pl.DataFrame, what: str) -> NDArray[np.bool_]:
    fraud = rows["is_fraud"].to_numpy()
    if fraud.all() or not fraud.any():
        raise TrainingError(
            f"the {what} rows ({len(fraud)}) hold {int(fraud.sum())} known frauds: a model needs both kinds. "
            "Choose a later cut or more training days, or check that labels are known by then."
        )
    return fraud
