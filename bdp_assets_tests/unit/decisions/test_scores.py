from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.policy import make_policy
from bdp_assets.decisions.scores import SCORES, scored
from bdp_assets.features.catalog import CATALOG
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows

MATRIX, _ = tiny_rows(len(CATALOG.names), rows=200, seed=4)
ROWS = pl.DataFrame(MATRIX, schema=list(CATALOG.names)).with_row_index("number")


@pytest.fixture(scope="module")
def decider(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    policy = make_policy(0.05, 0.5)
    return Decider.load(tiny_bundle(tmp_path_factory.mktemp("bundle"), policy=policy))


def test_a_row_keeps_what_is_no_feature_and_says_who_decided(decider: Decider) -> None:
    found = scored(decider, ROWS)
    assert found.columns == ["number", *SCORES]
    assert found["number"].equals(ROWS["number"])
    assert found["fraud_probability"].to_numpy().tobytes() == decider.ensemble.score(MATRIX).tobytes()
    versions = (decider.info.version, decider.policy.version, CATALOG.version)
    assert found.select(SCORES[2:]).unique().rows() == [versions]
    assert set(found["decision"]) == {"approve", "review", "decline"}


def test_columns_may_come_in_any_order_and_as_any_numbers(decider: Decider) -> None:
    whole = ROWS.with_columns(pl.col(CATALOG.names).round().cast(pl.Int32))
    mixed = whole.select(reversed(whole.columns))
    assert scored(decider, mixed).equals(scored(decider, whole))
    expected = decider.ensemble.score(np.round(MATRIX))
    assert scored(decider, whole)["fraud_probability"].to_list() == expected.tolist()


def test_versions_of_an_earlier_score_are_replaced(decider: Decider) -> None:
    stale = ROWS.with_columns(catalog_version=pl.lit("old"), model_version=pl.lit("old"))
    assert scored(decider, stale).equals(scored(decider, ROWS))


def test_rows_of_features_alone_are_scored(decider: Decider) -> None:
    assert scored(decider, ROWS.drop("number")).equals(scored(decider, ROWS).drop("number"))


def test_no_rows_are_a_frame_of_the_same_columns(decider: Decider) -> None:
    assert scored(decider, ROWS.clear()).schema == scored(decider, ROWS).schema
