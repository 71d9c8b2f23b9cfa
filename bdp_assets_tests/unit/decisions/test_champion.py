"""A running process follows its champion, and what can not be used never replaces what serves."""

from __future__ import annotations

import logging
import math
import threading
from datetime import date
from pathlib import Path

import msgspec
import numpy as np
import pytest
from prometheus_client import REGISTRY

from bdp_assets.decisions.champion import Champion
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import LocalPolicies, Tuning, encode
from bdp_assets.decisions.policy import Costs, make_policy
from bdp_assets.scoring.bundle import (
    ATTRIBUTIONS,
    MANIFEST,
    REGISTRATION,
    Bundle,
    BundleError,
    Registration,
)
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Bundle]:
    folder = tmp_path_factory.mktemp("trained")
    return Bundle.read(tiny_bundle(folder / "a", seed=1)), Bundle.read(tiny_bundle(folder / "b", seed=2))


@pytest.fixture
def bundles(tmp_path: Path, trained: tuple[Bundle, Bundle]) -> LocalBundles:
    bundles = LocalBundles(tmp_path)
    for version, bundle in zip(("1", "2"), trained, strict=True):
        bundle.write(bundles.path(version))
    bundles.activate("1")
    return bundles


@pytest.fixture
def champion(bundles: LocalBundles) -> Champion:
    return Champion(bundles.champion, 10)


def refused() -> float | None:
    return REGISTRY.get_sample_value("bdp_model_refused_info")


def capacity() -> float:
    found = REGISTRY.get_sample_value("bdp_review_capacity_transactions")
    assert found is not None
    return found


def test_the_reviewers_that_the_policy_was_made_for_are_a_metric(
    bundles: LocalBundles, champion: Champion
) -> None:
    bundle = Bundle.read(bundles.path("1"))
    policies = LocalPolicies(bundles.models_dir, bundle)
    costs = Costs(review_minor=400, false_decline_minor=2_500, reviews_per_day=60)
    for policy in (make_policy(0.01, 0.02, costs), make_policy(0.01, 0.02)):
        policies.put(encode(policy, tuning(bundle)), policy.version)
        policies.use(policy.version, 1)
        champion.load()
        assert capacity() == 60 if policy.costs else math.isnan(capacity())


def tuning(bundle: Bundle) -> Tuning:
    return Tuning(
        model_digest=bundle.info.digest,
        tuned_at_ms=0,
        first=date(2026, 1, 1),
        last=date(2026, 1, 2),
        transactions=1,
        frauds=1,
    )


def use_policy(bundles: LocalBundles, model: str) -> str:
    """Let another policy serve by the side of a model; its version."""
    bundle = Bundle.read(bundles.path(model))
    policies, policy = LocalPolicies(bundles.models_dir, bundle), make_policy(0.01, 0.02)
    policies.put(encode(policy, tuning(bundle)), policy.version)
    policies.use(policy.version, 1)
    return policy.version


def test_it_takes_a_new_champion_once_and_goes_back_to_the_old_one(
    bundles: LocalBundles, champion: Champion
) -> None:
    first = champion.load()
    assert champion.look() is None, "nothing changed"
    bundles.activate("2")
    second = champion.look()
    assert second is not None
    assert second.info.digest == Bundle.read(bundles.path("2")).info.digest != first.info.digest
    assert champion.look() is None
    bundles.activate("1")
    back = champion.look()
    assert back is not None
    assert back.info.digest == first.info.digest


def test_it_takes_a_new_policy_of_the_same_model(bundles: LocalBundles, champion: Champion) -> None:
    first = champion.load()
    version = use_policy(bundles, "1")
    taken = champion.look()
    assert taken is not None
    assert (taken.info.digest, taken.policy.version) == (first.info.digest, version)
    assert version != first.policy.version


def test_another_models_policies_are_none_of_its_business(bundles: LocalBundles, champion: Champion) -> None:
    champion.load()
    use_policy(bundles, "2")
    assert champion.look() is None


@pytest.mark.parametrize("damaged", [MANIFEST, ATTRIBUTIONS, "policy.json"])
def test_a_damaged_one_is_refused_and_told_and_the_next_good_one_is_taken(
    bundles: LocalBundles, champion: Champion, caplog: pytest.LogCaptureFixture, damaged: str
) -> None:
    champion.load()
    file = bundles.path("2") / damaged
    whole = file.read_bytes()
    file.write_bytes(whole[:-3] + b"###")
    bundles.activate("2")
    with caplog.at_level(logging.ERROR):
        assert champion.look() is None
    assert refused() == 1
    assert "champion refused" in caplog.text
    caplog.clear()
    assert champion.look() is None
    assert not caplog.text, "it is told once"
    file.write_bytes(whole)
    assert champion.look() is not None, "it was repaired in its place"
    assert refused() == 0


def test_a_registered_manifest_with_one_changed_number_is_refused(
    bundles: LocalBundles, champion: Champion, caplog: pytest.LogCaptureFixture
) -> None:
    bundle = Bundle.read(bundles.path("1"))
    registration = msgspec.json.encode(Registration("fraud", "1", bundle.info.digest))
    (bundles.path("1") / REGISTRATION).write_bytes(registration)
    champion.load()
    file = bundles.path("1") / MANIFEST
    whole = file.read_bytes()
    file.write_bytes(whole.replace(b"0.9", b"0.1", 1))
    assert champion.look() is None
    assert refused() == 1
    assert "`bdp models fetch 1`" in caplog.text
    with pytest.raises(BundleError, match="damaged"):
        Champion(bundles.champion, 10).load()
    file.write_bytes(whole)
    assert champion.look() is not None


def test_a_damaged_policy_is_refused(bundles: LocalBundles, champion: Champion) -> None:
    champion.load()
    policies = LocalPolicies.beside(bundles.champion, Bundle.read(bundles.champion))
    policies.folder.mkdir(parents=True)
    (policies.folder / "serving.json").write_text('{"version":"nothing","since_ms":1}')
    assert champion.look() is None
    assert refused() == 1
    own = policies.versions()[0]
    policies.use(own, 2)
    assert champion.look() is not None
    assert refused() == 0


def test_what_fails_in_a_way_that_nobody_foresaw_is_refused_too(
    bundles: LocalBundles,
    champion: Champion,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    champion.load()
    bundles.activate("2")
    with monkeypatch.context() as patched:
        patched.setattr(Decider, "warm", lambda _: np.zeros(1)[1])
        assert champion.look() is None
    assert refused() == 1
    assert "loading it failed" in caplog.text
    bundles.activate("1")
    assert champion.look() is not None


def test_without_a_champion_it_waits_for_the_first(tmp_path: Path, trained: tuple[Bundle, Bundle]) -> None:
    champion = Champion(tmp_path / "champion", 10)
    with pytest.raises(BundleError):
        champion.load()
    assert champion.look() is None
    trained[0].write(tmp_path / "1")
    LocalBundles(tmp_path).activate("1")
    taken = champion.look()
    assert taken is not None
    assert taken.info.digest == trained[0].info.digest


def test_its_thread_hands_over_what_is_new_and_ends_with_stop(
    bundles: LocalBundles, champion: Champion
) -> None:
    champion.load()
    taken: list[Decider] = []
    came = threading.Event()

    def take(decider: Decider) -> None:
        taken.append(decider)
        came.set()

    champion.follow(take)
    bundles.activate("2")
    assert came.wait(30)
    champion.stop()
    bundles.activate("1")
    assert [one.info.digest for one in taken] == [Bundle.read(bundles.path("2")).info.digest]
