"""How sure a mean over folds is: bootstrap over customers, whose transactions stand or fall together."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

DRAWS = 200
LEVEL = (2.5, 97.5)


def ap_interval(folds: Sequence[pl.DataFrame], seed: int = 0) -> tuple[float, float]:
    """95% interval of the mean average precision of scored test rows (customer_id, is_fraud, probability).

    Percentile bootstrap (Efron 1979); a draw takes as many customers of each fold, with replacement.
    """
    drawn = [_drawn(fold, np.random.default_rng((seed, i))) for i, fold in enumerate(folds)]
    low, high = np.percentile(np.mean(drawn, axis=0), LEVEL)
    return float(low), float(high)


def _drawn(fold: pl.DataFrame, rng: np.random.Generator) -> list[float]:
    fraud, probability = fold["is_fraud"].to_numpy(), fold["probability"].to_numpy()
    customer = fold["customer_id"].rank("dense").to_numpy() - 1
    customers = int(customer.max()) + 1
    found = []
    for _ in range(DRAWS):
        times = np.bincount(rng.integers(0, customers, customers), minlength=customers)[customer]
        found.append(float(average_precision_score(fraud, probability, sample_weight=times)))
    return found
