"""A tuned policy is of the model that it was tuned for; integration/test_registry.py has how it travels."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import AMOUNT
from bdp_assets.operations import policy_tuning
from bdp_assets.operations.policies import serving_model
from bdp_assets.operations.policy_history import IS_FRAUD, PROBABILITY, History
from bdp_assets.operations.policy_tuning import ModelReplaced, tune_policy
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

COSTS = {"review_minor": 250, "false_decline_minor": 4_000, "reviews_per_day": 3}


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """Two models, the first of which serves."""
    settings = Settings(home=tmp_path)
    bundles = LocalBundles(settings.models_dir)
    for seed, version in enumerate(("1", "2")):
        tiny_bundle(bundles.path(version), seed=seed)
    bundles.activate("1")
    return settings


def history() -> History:
    probability = np.linspace(0, 1, 100)
    columns = {AMOUNT: 5_000, IS_FRAUD: probability > 0.7, EVENT_DATE: date(2026, 3, 1)}
    return History(pl.DataFrame({PROBABILITY: probability}).with_columns(**columns))


def test_a_policy_of_a_model_that_was_replaced_meanwhile_is_not_said_to_serve(
    own: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = serving_model(own).policies

    def read_as_another_comes(*_: object) -> History:
        LocalBundles(own.models_dir).activate("2")
        return history()

    monkeypatch.setattr(policy_tuning, "model_history", read_as_another_comes)
    with pytest.raises(ModelReplaced, match="nothing is changed"):
        tune_policy(own, COSTS, 1)
    assert before.choice() is None


def test_else_it_serves(own: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy_tuning, "model_history", lambda *_: history())
    tuned = tune_policy(own, COSTS, 1).policies[policy_tuning.TUNED]
    choice = serving_model(own).policies.choice()
    assert choice is not None
    assert choice.version == tuned.version
