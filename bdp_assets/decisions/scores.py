"""Scores of whole frames of features: what `bdp score` and the lake's table of scores say of each row."""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.policy_columns import decide_all
from bdp_assets.features.catalog import CATALOG

AMOUNT = "amount_value"
"""The feature that is the transaction's amount, in major units."""
SCORES = ("fraud_probability", "decision", "model_version", "policy_version", "catalog_version")
"""Fields of a decision record; here the decision is the policy's alone, as rules read whole transactions."""
_DECISIONS = np.array([decision.value for decision in Decision], dtype=object)


def scored(decider: Decider, rows: pl.DataFrame) -> pl.DataFrame:
    """The rows in their order: their columns that are no features, then SCORES.

    Raises:
        polars.exceptions.ColumnNotFoundError: a feature is missing.
        ValueError: a feature is not finite.
    """
    features = rows.select(pl.col(decider.info.feature_names).cast(pl.Float64)).to_numpy()
    probability = decider.ensemble.score(features)
    amount_minor = np.round(features[:, decider.info.feature_names.index(AMOUNT)] * 100)
    decided = decide_all(decider.policy, probability, amount_minor)
    found = pl.DataFrame(
        {"fraud_probability": probability, "decision": _DECISIONS[decided].tolist()},
        schema={"fraud_probability": pl.Float64, "decision": pl.String},
    ).with_columns(
        model_version=pl.lit(decider.info.version),
        policy_version=pl.lit(decider.policy.version),
        catalog_version=pl.lit(decider.info.catalog_version),
    )
    own = [name for name in rows.columns if name not in {*CATALOG.names, *SCORES}]
    return pl.DataFrame([*rows.select(own), *found])
