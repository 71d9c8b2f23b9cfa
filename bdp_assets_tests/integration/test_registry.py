"""The registry and a release against a real MLflow on a database of its own (no server)."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import mlflow
import pytest

from bdp_assets.clients.registry import CHALLENGER, CHAMPION, Registry, RegistryUnavailable, VersionMissing
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import LocalPolicies, Tuning
from bdp_assets.decisions.policy import Costs, cost_policy, make_policy
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.training import release as release_module
from bdp_assets.training.champions import (
    Forced,
    Judged,
    Overtaken,
    make_champion,
    roll_back,
    serve_champion,
    serve_version,
)
from bdp_assets.training.gate import Gate, failed
from bdp_assets.training.policy_release import release_policy, use_policy
from bdp_assets.training.release import register, release
from bdp_assets.training.split import TEST_DAYS
from bdp_assets_tests.fakes.trained_model import trained

COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=10)
BY_HAND = Forced("by hand")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    home = tmp_path_factory.mktemp("mlflow")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        registry = Registry(f"sqlite:///{home}/mlflow.db", "fraud_test")
        assert registry.champion() is None
        assert registry.versions() == []
        yield registry


@pytest.fixture(scope="module")
def bundles(tmp_path_factory: pytest.TempPathFactory) -> LocalBundles:
    return LocalBundles(tmp_path_factory.mktemp("models"))


def tuning_of(bundle: Bundle) -> Tuning:
    return Tuning(
        model_digest=bundle.info.digest,
        tuned_at_ms=1,
        first=date(2026, 3, 1),
        last=date(2026, 3, 7),
        transactions=1_000,
        frauds=9,
    )


def test_a_models_way_into_service_and_back(
    registry: Registry, bundles: LocalBundles, tmp_path: Path
) -> None:
    first = release(trained(tmp_path / "a"), registry, bundles)
    assert (first.version, first.promoted, first.champion_before) == ("1", True, None)
    assert serve_champion(registry, bundles) == "1"

    worse = release(trained(tmp_path / "b", shuffled=True), registry, bundles)
    assert (worse.version, worse.promoted) == ("2", False)
    assert {"average_precision", "calibration"} <= {gate.name for gate in failed(worse.gates)}
    assert "is worse than champion 1's" in worse.reason
    assert (registry.champion(), registry.alias(CHALLENGER)) == ("1", "2")

    equal = release(trained(tmp_path / "c"), registry, bundles)
    assert (equal.version, equal.promoted, equal.champion_before) == ("3", True, "1")
    assert serve_champion(registry, bundles) == "3"
    assert Bundle.read(bundles.champion).info.version == "3"

    assert roll_back(registry, bundles) == "1"
    assert (registry.champion(), bundles.active()) == ("1", "1")
    serve_version(registry, bundles, "3")
    assert (registry.champion(), bundles.active()) == ("1", "3")
    make_champion(registry, bundles, "2", BY_HAND)
    assert (registry.champion(), bundles.active(), registry.predecessor()) == ("2", "2", "1")
    listed = [(row.version, row.aliases) for row in registry.versions()]
    assert listed == [("3", (CHALLENGER,)), ("2", (CHAMPION,)), ("1", ())]


def test_a_model_with_a_short_test_serves_only_where_nothing_does(
    registry: Registry, bundles: LocalBundles, tmp_path: Path
) -> None:
    """Who trains chooses the test window, and with it the verdict: so a short one gives none."""
    ours = Registry(registry.uri, "fraud_short")
    first = release(trained(tmp_path / "a", test_days=1), ours, bundles)
    assert (first.promoted, first.standing) == (True, "is champion")
    second = release(trained(tmp_path / "b", test_days=TEST_DAYS - 1), ours, bundles)
    assert (second.promoted, second.asked, second.standing) == (False, False, "stays challenger")
    assert "`bdp models promote 2` judges it on the lake's latest 7 days" in second.reason
    assert (ours.champion(), ours.alias(CHALLENGER)) == ("1", "2")
    assert second.gates[0].says == second.reason


def test_a_model_of_a_file_serves_only_where_nothing_does(
    registry: Registry, bundles: LocalBundles, tmp_path: Path
) -> None:
    """Who brings the file brings the rows, the labels and their delay that it would be judged by."""
    ours = Registry(registry.uri, "fraud_file")
    first = release(trained(tmp_path / "a", snapshot="sha256:0123"), ours, bundles)
    assert (first.promoted, first.standing) == (True, "is champion")
    second = release(trained(tmp_path / "b", snapshot="sha256:0123"), ours, bundles)
    assert (second.promoted, second.asked, second.standing) == (False, False, "stays challenger")
    assert second.reason.startswith("a test on a file's rows does not tell whether it may replace champion 1")
    assert "`bdp models promote 2` judges it on the lake's latest 7 days" in second.reason
    assert (ours.champion(), ours.alias(CHALLENGER)) == ("1", "2")
    assert release(trained(tmp_path / "c"), ours, bundles).promoted


def test_a_model_of_a_named_snapshot_serves_only_where_nothing_does(
    registry: Registry, bundles: LocalBundles, tmp_path: Path
) -> None:
    """Who names the versions of the lake's tables chooses the rows and labels that it would be judged by."""
    ours = Registry(registry.uri, "fraud_snapshot")
    first = release(replace(trained(tmp_path / "a"), snapshot_is_named=True), ours, bundles)
    assert (first.promoted, first.standing) == (True, "is champion")
    second = release(replace(trained(tmp_path / "b"), snapshot_is_named=True), ours, bundles)
    assert (second.promoted, second.asked, second.standing) == (False, False, "stays challenger")
    assert second.reason.startswith("a test on a named snapshot's rows does not tell whether it may replace")
    assert "`bdp models promote 2` judges it on the lake's latest 7 days" in second.reason
    assert (ours.champion(), ours.alias(CHALLENGER)) == ("1", "2")
    assert release(trained(tmp_path / "c"), ours, bundles).promoted


def test_a_champion_that_came_while_a_model_was_judged_is_not_replaced(
    registry: Registry, bundles: LocalBundles, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Registry(registry.uri, "fraud_at_once")
    release(trained(tmp_path / "a"), ours, bundles)
    other = register(trained(tmp_path / "b"), ours)
    judge = release_module.judge

    def judge_slowly(*judged: Any) -> tuple[Gate, ...]:
        ours.promote(other)
        return judge(*judged)

    monkeypatch.setattr(release_module, "judge", judge_slowly)
    late = release(trained(tmp_path / "c"), ours, bundles)
    assert (late.version, late.promoted, late.asked, failed(late.gates)) == ("3", False, True, [])
    assert "another model became champion while it was judged; `bdp models promote 3`" in late.reason
    assert (ours.champion(), ours.alias(CHALLENGER)) == (other, "3")


def test_of_two_who_change_the_champion_at_once_the_later_one_has_it_everywhere(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, bundles = Registry(registry.uri, "fraud_two_at_once"), LocalBundles(tmp_path / "models")
    first, other, third = (register(trained(tmp_path / name), ours) for name in "abc")
    make_champion(ours, bundles, first, BY_HAND)
    activate, other_is_done = LocalBundles.activate, threading.Event()

    def activate_late(self: LocalBundles, version: str) -> None:
        if version == other:
            other_is_done.wait(1)  # Who is not kept out is done by then.
        activate(self, version)

    monkeypatch.setattr(LocalBundles, "activate", activate_late)
    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(make_champion, ours, bundles, other, Judged(first))
        while ours.champion() != other:
            assert not slow.done()
        fast = pool.submit(make_champion, ours, bundles, third, Judged(other))
        fast.add_done_callback(lambda _: other_is_done.set())
        assert (slow.result(), fast.result()) == (None, None)
    assert (ours.champion(), bundles.active(), ours.predecessor()) == (third, third, other)
    with pytest.raises(Overtaken):
        make_champion(ours, bundles, first, Judged(other))
    assert (ours.champion(), bundles.active()) == (third, third)


def test_costs_that_were_changed_while_a_model_was_trained_are_not_forgotten(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, bundles = Registry(registry.uri, "fraud_new_costs"), LocalBundles(tmp_path / "models")
    release(trained(tmp_path / "a"), ours, bundles)
    serve_champion(ours, bundles)
    judge, champion = release_module.judge, Bundle.read(bundles.champion)
    policies, tuned = LocalPolicies.beside(bundles.champion, champion), cost_policy(700, COSTS)

    def judge_as_somebody_tunes(*judged: Any) -> tuple[Gate, ...]:
        found = judge(*judged)
        release_policy(ours, policies, champion.info, tuned, tuning_of(champion))
        return found

    monkeypatch.setattr(release_module, "judge", judge_as_somebody_tunes)
    late = release(trained(tmp_path / "b"), ours, bundles)
    assert (late.version, late.promoted, failed(late.gates)) == ("2", False, [])
    assert "the costs that policies are tuned for were changed while it was trained" in late.reason
    assert (ours.champion(), ours.alias(CHALLENGER)) == ("1", "2")


def test_of_two_first_registrations_at_once_both_are_registered(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours = Registry(registry.uri, "fraud_first_two")
    create = mlflow.MlflowClient.create_registered_model

    def as_another_is_first(client: Any, *model: Any, **says: Any) -> Any:
        create(client, *model, **says)
        return create(client, *model, **says)

    monkeypatch.setattr(mlflow.MlflowClient, "create_registered_model", as_another_is_first)
    assert register(trained(tmp_path / "a"), ours) == "1"
    monkeypatch.undo()
    assert register(trained(tmp_path / "a"), ours) == "2"


def test_a_version_whose_files_are_gone_is_named(registry: Registry, tmp_path: Path) -> None:
    ours = Registry(registry.uri, "fraud_gone")
    version = register(trained(tmp_path / "a"), ours)
    shutil.rmtree(mlflow.MlflowClient(ours.uri).get_model_version_download_uri(ours.model_name, version))
    with pytest.raises(BundleError, match="copy of model 1 can not be used: its files are gone"):
        make_champion(ours, LocalBundles(tmp_path / "models"), version, BY_HAND)
    assert ours.champion() is None


def test_a_version_has_one_name(registry: Registry, bundles: LocalBundles, tmp_path: Path) -> None:
    ours = Registry(registry.uri, "fraud_names")
    release(trained(tmp_path / "a"), ours, bundles)
    for name in ("01", "001", "\uff11", "\u0661", "1\n", " 1", "+1"):
        with pytest.raises(VersionMissing, match="there is no version"):
            make_champion(ours, bundles, name, BY_HAND)
    with pytest.raises(VersionMissing, match=r"1 .* replaced no other version.*`bdp models use VERSION`"):
        ours.predecessor()


FETCH = """
import sys
from pathlib import Path
from bdp_assets.clients.registry import Registry
Registry(sys.argv[1], "fraud_test").fetch(sys.argv[2], Path(sys.argv[3]))
"""


def test_a_process_that_registered_nothing_fetches_a_version_as_well(
    registry: Registry, tmp_path: Path
) -> None:
    """MLflow keeps where models are in each process: who only fetches has been told nothing."""
    version = release(trained(tmp_path / "bundle"), registry, LocalBundles(tmp_path / "models")).version
    told_nothing = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")}
    for name in ("here", "again"):
        folder = tmp_path / name
        folder.mkdir()
        arguments = (registry.uri, version, str(folder))
        subprocess.run([sys.executable, "-c", FETCH, *arguments], check=True, cwd=tmp_path, env=told_nothing)
        assert Bundle.read(folder).info.name == "fraud_ensemble"
    assert not (tmp_path / "mlflow.db").exists(), "it asked a registry of its own"


def test_a_version_carries_its_card_and_loads_by_mlflow_itself(registry: Registry, tmp_path: Path) -> None:
    model = trained(tmp_path / "bundle")
    version = release(model, registry, LocalBundles(tmp_path / "models")).version
    row = registry.version(version)
    assert row.metrics["average_precision"] == pytest.approx(model.metrics["average_precision"])
    assert row.tags["catalog_version"] == CATALOG.version
    assert row.tags["policy_version"] == model.policy.version

    client = mlflow.MlflowClient(registry.uri)
    plots_there = {item.path for item in client.list_artifacts(row.run_id, "plots")}
    assert plots_there == {f"plots/{name}" for name in model.plots}
    assert len(model.plots) == 5
    assert "Average precision" in client.get_model_version(registry.model_name, version).description

    loaded = mlflow.pyfunc.load_model(f"models:/{registry.model_name}/{version}")
    assert loaded.metadata.signature.inputs.input_names() == list(CATALOG.names)
    answered = loaded.predict(model.input_example.to_pandas())["fraud_probability"]
    assert answered.tolist() == model.test["probability"][: len(answered)].to_list()


def test_a_champion_of_another_catalog_is_replaced(
    registry: Registry, bundles: LocalBundles, tmp_path: Path
) -> None:
    stranger = Registry(registry.uri, "fraud_catalogs")
    version, before = (
        register(trained(tmp_path / "a", catalog_version="000000000000"), stranger),
        bundles.active(),
    )
    with pytest.raises(BundleError, match="was trained on feature catalog"):
        serve_version(stranger, bundles, version)
    assert bundles.active() == before
    stranger.promote(version)
    with pytest.raises(BundleError, match="000000000000"):
        make_champion(stranger, bundles, "1", BY_HAND)
    outcome = release(trained(tmp_path / "b"), stranger, bundles)
    assert outcome.promoted
    assert "000000000000" in outcome.reason


def test_a_tuned_policy_travels_with_its_model(registry: Registry, tmp_path: Path) -> None:
    ours = Registry(registry.uri, "fraud_policies")
    here, there = LocalBundles(tmp_path / "here"), LocalBundles(tmp_path / "there")
    release(trained(tmp_path / "a"), ours, here)
    for machine in (here, there):
        serve_champion(ours, machine)
    bundle = Bundle.read(here.champion)
    own, tuned = make_policy(0.2, 0.6), cost_policy(700, COSTS)
    tuning = tuning_of(bundle)
    policies = LocalPolicies.beside(here.champion, bundle)
    with pytest.raises(RegistryUnavailable):
        release_policy(Registry("http://127.0.0.1:1", "fraud"), policies, bundle.info, tuned, tuning)
    assert (policies.versions(), policies.serving()) == ([own.version], own)

    release_policy(ours, policies, bundle.info, tuned, tuning)
    assert Decider.load(here.champion).policy == tuned
    assert Decider.load(there.champion).policy == own
    assert ours.version("1").tags["policy_version"] == tuned.version

    serve_champion(ours, there)
    elsewhere = LocalPolicies.beside(there.champion, bundle)
    assert Decider.load(there.champion).policy == tuned
    assert elsewhere.kept(tuned.version).tuning == tuning

    use_policy(ours, policies, bundle.info, own.version)
    assert Decider.load(here.champion).policy == own
    serve_champion(ours, there)
    assert Decider.load(there.champion).policy == own

    # A damaged copy is replaced by the registry's; what the registry has not is not used.
    (elsewhere.folder / f"{tuned.version}.json").write_text("{}")
    use_policy(ours, elsewhere, bundle.info, tuned.version)
    assert Decider.load(there.champion).policy == tuned
    with pytest.raises(VersionMissing, match="ffffffffffff"):
        use_policy(ours, elsewhere, bundle.info, "ffffffffffff")
    assert Decider.load(there.champion).policy == tuned


def test_what_is_not_there_is_named(registry: Registry, tmp_path: Path) -> None:
    release(trained(tmp_path / "bundle"), registry, LocalBundles(tmp_path / "models"))
    for wanted in ("99", "abc", "1.0", "0", "", "9" * 30):
        said = f"there is no version {wanted} of fraud_test: `bdp models list` shows those there are"
        with pytest.raises(VersionMissing, match=said):
            registry.version(wanted)
    with pytest.raises(VersionMissing, match="there is no version 99 of"):
        registry.set_alias(CHALLENGER, "99")
    with pytest.raises(VersionMissing, match="model 1 has no policy nope in the registry; `bdp policy show`"):
        registry.policy("1", "nope")
    empty = Registry(registry.uri, "never_trained")
    with pytest.raises(VersionMissing, match=r"never_trained has no champion yet.*`bdp train`"):
        empty.predecessor()
    with pytest.raises(BundleError, match="bdp train"):
        serve_champion(empty, LocalBundles(tmp_path))


def test_a_registry_that_is_down_is_named_without_its_password() -> None:
    with pytest.raises(RegistryUnavailable, match=r"127\.0\.0\.1:1 failed.*bdp status") as failure:
        Registry("http://user:secret@127.0.0.1:1", "fraud").champion()
    assert "secret" not in str(failure.value)
