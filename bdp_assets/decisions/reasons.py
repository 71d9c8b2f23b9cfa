"""Reasons of a decision from the model that scored it: its strongest features in the catalog's own words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bdp_assets.contracts.records import Reason

MOST = 3
LEAST_CONTRIBUTION = 0.01


def feature_reasons(
    contributions: NDArray[np.float64],
    values: NDArray[np.float64],
    described: Sequence[Mapping[str, str]],
) -> list[Reason]:
    """Up to three features that raised the score by 0.01 or more, strongest first; ties in catalog order.

    Args:
        contributions: float64 [n_features], additive shares of the forest's fraud probability.
        values: float64 [n_features], the features themselves.
        described: rows of `Catalog.describe()`, in catalog order.
    """
    strongest = np.argsort(-contributions, kind="stable")[:MOST].tolist()
    return [
        _reason(described[i], values[i], contributions[i])
        for i in strongest
        if contributions[i] >= LEAST_CONTRIBUTION
    ]


def _reason(feature: Mapping[str, str], value: float, contribution: float) -> Reason:
    seen = f"{feature['description']}: {value:,.6g} ({feature['unit']})"
    return Reason(feature["name"], f"{seen}; adds {contribution:.2f} to the forest's score")
