"""Results too good to be true: no proof of a leak, but a reason to look for one."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import polars as pl
from sklearn.metrics import average_precision_score

from bdp_assets.features.catalog import CATALOG

ALONE = 0.6
"""Share of the model's average precision that one feature alone may reach. Honest ones on the Handbook's data
reach 0.45 of it."""
STRONG = 0.3
"""Average precision from which on one feature is strong: beside a weak model any feature looks good."""


def suspicions(test: pl.DataFrame, most: float | None = None) -> Iterator[str]:
    """A sentence for each of them; `test`: features, `is_fraud` and the model's `probability`.

    `most`: the highest average precision that anybody could reach honestly, where a protocol says so.
    """
    reached = precision_alone(test, "probability")
    if most is not None and reached > most:
        yield f"average precision {reached:.3f} is above {most:g}, which nobody reaches honestly here"
    for name in CATALOG.names:
        alone = precision_alone(test, name)
        if alone > max(ALONE * reached, STRONG):
            yield f"{name} alone reaches an average precision of {alone:.3f}, the whole model {reached:.3f}"


def precision_alone(test: pl.DataFrame, name: str) -> float:
    """Average precision of one column as the score, upwards or downwards, whichever is better."""
    fraud, score = test["is_fraud"].to_numpy(), test[name].to_numpy()
    return float(np.max([average_precision_score(fraud, sign * score) for sign in (1, -1)]))
