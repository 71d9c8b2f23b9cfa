"""Two models that decide differently, and a lake of what the first of them decided live."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.records import Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.policy import Policy, make_policy
from bdp_assets.scoring.bundle import REGISTRATION, Registration
from bdp_assets_tests.fakes.shadow_lake import land, live_decisions
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

DAYS, A_DAY = 12, 30


def registered(folder: Path, version: str, seed: int, policy: Policy) -> Decider:
    tiny_bundle(folder, seed=seed, policy=policy)
    (folder / REGISTRATION).write_bytes(msgspec.json.encode(Registration("fraud_ensemble", version)))
    return Decider.load(folder)


@pytest.fixture(scope="session")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return registered(tmp_path_factory.mktemp("champion") / "1", "1", 7, make_policy(0.2, 0.6))


@pytest.fixture(scope="session")
def challenger(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return registered(tmp_path_factory.mktemp("challenger") / "2", "2", 8, make_policy(0.1, 0.5))


@pytest.fixture(scope="session")
def decided(champion: Decider) -> list[Prediction]:
    return live_decisions(champion, days=DAYS, a_day=A_DAY)[0]


@pytest.fixture(scope="session")
def frauds(champion: Decider, decided: list[Prediction]) -> list[Prediction]:
    _, fraud = live_decisions(champion, days=DAYS, a_day=A_DAY)
    return [one for one, is_fraud in zip(decided, fraud, strict=True) if is_fraud]


@pytest.fixture
def lake(tmp_path: Path, decided: list[Prediction]) -> Lake:
    lake = Lake(str(tmp_path / "lake"))
    land(lake, decided)
    return lake
