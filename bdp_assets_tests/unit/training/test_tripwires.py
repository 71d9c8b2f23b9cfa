from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bdp_assets.features.catalog import CATALOG
from bdp_assets.training.tripwires import precision_alone, suspicions


@pytest.fixture
def scored() -> pl.DataFrame:
    """A model that ranks well, and features that know nothing."""
    random = np.random.default_rng(0)
    fraud = random.random(4_000) < 0.05
    noise = {name: random.random(4_000) for name in CATALOG.names}
    return pl.DataFrame({**noise, "is_fraud": fraud, "probability": 0.3 * fraud + random.random(4_000) * 0.6})


def test_an_honest_model_is_above_suspicion(scored: pl.DataFrame) -> None:
    assert list(suspicions(scored, 0.8)) == []


def test_a_feature_that_ranks_alone_is_named_in_either_direction(scored: pl.DataFrame) -> None:
    for sign in (1, -1):
        told = scored.with_columns(hour=pl.col("probability") * sign)
        [found] = suspicions(told)
        assert found.startswith("hour alone reaches an average precision of ")
        assert precision_alone(told, "hour") == precision_alone(told, "probability")


def test_more_than_anybody_can_reach_is_told_where_that_is_known(scored: pl.DataFrame) -> None:
    told = scored.with_columns(probability=pl.col("is_fraud").cast(pl.Float64))
    assert list(suspicions(told)) == []
    [found] = suspicions(told, 0.8)
    assert found == "average precision 1.000 is above 0.8, which nobody reaches honestly here"


def test_beside_a_model_that_learned_nothing_no_feature_is_suspect(scored: pl.DataFrame) -> None:
    random = np.random.default_rng(1)
    assert list(suspicions(scored.with_columns(probability=pl.Series(random.random(4_000))), 0.8)) == []
