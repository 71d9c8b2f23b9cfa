"""Costs that somebody named outlive the model; integration/test_registry.py has what needs a registry."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.decisions.local_policies import SERVING, LocalPolicies
from bdp_assets.decisions.policy import Costs, cost_policy, make_policy
from bdp_assets.decisions.tuning import COSTS
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.training.policy_release import costs_here
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

NAMED = Costs(review_minor=250, false_decline_minor=4_000, reviews_per_day=3)


def test_costs_are_those_of_the_policy_that_serves(tmp_path: Path) -> None:
    bundles = LocalBundles(tmp_path)
    assert costs_here(bundles) == COSTS
    folder = tiny_bundle(bundles.path("1"), policy=cost_policy(300, NAMED))
    bundles.activate("1")
    assert costs_here(bundles) == NAMED

    damaged = LocalPolicies.beside(folder, Bundle.read(folder)).folder / SERVING
    damaged.parent.mkdir(parents=True)
    damaged.write_text("{}")
    assert costs_here(bundles) == COSTS

    tiny_bundle(bundles.path("2"), policy=make_policy(0.2, 0.6))
    bundles.activate("2")
    assert costs_here(bundles) == COSTS
