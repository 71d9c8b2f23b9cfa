from __future__ import annotations

from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.policy import Costs, Policy, cost_policy, decide, make_policy
from bdp_assets.decisions.scores import AMOUNT, SCORES, scored
from bdp_assets.features.catalog import CATALOG
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows

MATRIX, _ = tiny_rows(len(CATALOG.names), rows=200, seed=4)
ROWS = pl.DataFrame(MATRIX, schema=list(CATALOG.names)).with_row_index("number")


COSTS = Costs(review_minor=3, false_decline_minor=90, reviews_per_day=100)


def load(folder: Path, policy: Policy) -> Decider:
    return Decider.load(tiny_bundle(folder, policy=policy))


@pytest.fixture(scope="module")
def decider(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return load(tmp_path_factory.mktemp("bundle"), make_policy(0.05, 0.5))


@pytest.mark.parametrize("policy", [make_policy(0.05, 0.5), cost_policy(6, COSTS)])
def test_each_row_is_decided_as_the_policy_decides_it_alone(policy: Policy, tmp_path: Path) -> None:
    amounts = np.random.default_rng(0).integers(0, 500, len(ROWS))
    found = scored(load(tmp_path, policy), ROWS.with_columns(pl.Series(AMOUNT, amounts / 100)))
    pairs = zip(found["fraud_probability"].to_list(), amounts.tolist(), strict=True)
    assert found["decision"].to_list() == [decide(policy, *pair)[0].value for pair in pairs]
    assert set(found["decision"]) == {"approve", "review", "decline"}


def test_a_row_keeps_what_is_no_feature_and_says_who_decided(decider: Decider) -> None:
    found = scored(decider, ROWS)
    assert found.columns == ["number", *SCORES]
    assert found["number"].equals(ROWS["number"])
    assert found["fraud_probability"].to_numpy().tobytes() == decider.ensemble.score(MATRIX).tobytes()
    versions = (decider.info.version, decider.policy.version, CATALOG.version)
    assert found.select(SCORES[2:]).unique().rows() == [versions]


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
