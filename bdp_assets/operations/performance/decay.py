"""A model that decided, on matured transactions, beside what its own test promised.

Made alike before they are compared: the rows are those that a test keeps, and good ones weigh so much that
the share of fraud is the test's, since an average precision grows with it.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.monitoring.performance.decay import LEAST_FRAUDS, Decay
from bdp_assets.monitoring.performance.window import Window
from bdp_assets.scoring.bundle import ModelInfo
from bdp_assets.training.bootstrap import paired
from bdp_assets.training.contest import AP
from bdp_assets.training.weighted import Ranking

_PROMISED = ("average_precision", "test_rows", "test_frauds")


class NotJudged(ValueError):  # noqa: N818 - reads as what it is
    """Nothing can be said of a model's decay yet; the message says why."""


def decay_of(info: ModelInfo, tested: pl.DataFrame, window: Window, bound: float) -> Decay:
    """`tested`: rows of `as_tested` that the model decided. Raises NotJudged."""
    promised = [info.metrics.get(name, 0.0) for name in _PROMISED]
    fraud = tested["is_fraud"].to_numpy()
    frauds = int(fraud.sum())
    if min(promised) <= 0 or promised[1] <= promised[2]:
        raise NotJudged(
            f"model {info.version} was registered without {', '.join(_PROMISED)}: train another (`bdp train`)"
        )
    if frauds < LEAST_FRAUDS or frauds == len(fraud):
        raise NotJudged(
            f"model {info.version} decided {len(fraud):,} mature transactions from {window.first} to "
            f"{window.last}, {frauds:,} of them known fraud: an average precision wants {LEAST_FRAUDS} and "
            "good ones beside. Wait for labels"
        )
    registered, rows, test_frauds = promised
    weight = np.where(fraud, 1.0, frauds * (rows / test_frauds - 1.0) / (len(fraud) - frauds))
    ranking = Ranking(tested["probability"].to_numpy(), fraud)
    pair = (lambda times: ranking.average_precision(times * weight), lambda times: 0.0)
    found = paired(tested["customer_id"], {AP: pair})[AP]
    return Decay(
        as_of=window.as_of,
        model_version=info.version,
        registered=registered,
        matured=found.one,
        low=found.low,
        high=found.high,
        bound=bound,
        transactions=len(fraud),
        frauds=frauds,
    )
