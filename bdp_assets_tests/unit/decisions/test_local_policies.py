from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import msgspec
import pytest

from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.local_policies import SERVING, LocalPolicies, Tuning, encode
from bdp_assets.decisions.policy import Costs, cost_policy, policy_of
from bdp_assets.scoring.bundle import Bundle, BundleError
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.unit.decisions.test_decider import ROWS
from bdp_assets_tests.unit.decisions.transactions import transaction

COSTS = Costs(review_minor=500, false_decline_minor=3_000, reviews_per_day=10)
TUNED, OTHER = cost_policy(800, COSTS), cost_policy(900, COSTS)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("made") / "1")


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """The champion: a link to a bundle, as on a machine that serves."""
    shutil.copytree(made, tmp_path / "models" / "1")
    champion = tmp_path / "models" / "champion"
    champion.symlink_to("1")
    return champion


@pytest.fixture
def bundle(folder: Path) -> Bundle:
    return Bundle.read(folder)


@pytest.fixture
def policies(folder: Path, bundle: Bundle) -> LocalPolicies:
    return LocalPolicies.beside(folder, bundle)


def tuning(bundle: Bundle, **fields: object) -> Tuning:
    made = Tuning(
        model_digest=bundle.info.digest,
        tuned_at_ms=1_772_323_200_000,
        first=date(2026, 2, 1),
        last=date(2026, 2, 28),
        transactions=10_000,
        frauds=90,
    )
    return msgspec.structs.replace(made, **fields)


def keep(policies: LocalPolicies, bundle: Bundle) -> None:
    for policy in (TUNED, OTHER):
        policies.put(encode(policy, tuning(bundle)), policy.version)


def test_a_model_serves_by_its_own_policy_until_another_is_used(
    folder: Path, policies: LocalPolicies, bundle: Bundle
) -> None:
    own = policy_of(bundle)
    assert (policies.serving(), policies.choice(), policies.versions()) == (own, None, [own.version])
    keep(policies, bundle)
    assert policies.serving() == own
    for number, policy in enumerate((TUNED, OTHER, own, TUNED)):
        policies.use(policy.version, number)
        assert (policies.serving(), policies.choice().since_ms) == (policy, number)
        assert Decider.load(folder).policy == policy
    assert policies.versions() == [own.version, *sorted([TUNED.version, OTHER.version])]
    assert policies.kept(own.version).tuning is None
    assert policies.kept(OTHER.version).tuning == tuning(bundle)
    assert not [path for path in policies.folder.iterdir() if path.suffix != ".json"]


def test_records_say_which_policy_made_them(folder: Path, policies: LocalPolicies, bundle: Bundle) -> None:
    keep(policies, bundle)
    before = Decider.load(folder)
    policies.use(TUNED.version, 1)
    for decider, policy in ((before, policy_of(bundle)), (Decider.load(folder), TUNED)):
        (record,) = decider.decide_many([transaction(1)], ROWS[:1], [1], decided_by="stream", decided_at_ms=1)
        assert record.policy_version == policy.version
        assert decider.decide_again(record).reasons == record.reasons


def test_another_model_does_not_serve_by_it(
    policies: LocalPolicies, bundle: Bundle, folder: Path, tmp_path: Path
) -> None:
    keep(policies, bundle)
    policies.use(TUNED.version, 1)
    other = tiny_bundle(tmp_path / "models" / "2", seed=8)
    assert Decider.load(other).policy == policy_of(Bundle.read(other))
    folder.unlink()
    folder.symlink_to("2")
    assert Decider.load(folder).policy == policy_of(Bundle.read(other))


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        (lambda raw: b"", "can not be used"),
        (lambda raw: raw[:-20], "can not be used"),
        (lambda raw: raw.replace(b'"review_price_minor": 800', b'"review_price_minor": 801'), "its content"),
        (lambda raw: raw.replace(b'"review_price_minor": 800', b'"review_price_minor": 1'), "review price"),
        (lambda raw: raw.replace(b'"frauds": 90', b'"frauds": 91'), "its sha256"),
        (lambda raw: raw.replace(b'"frauds"', b'"cheats"'), "missing required field"),
    ],
)
def test_a_damaged_policy_is_refused_and_not_passed_over(
    folder: Path, policies: LocalPolicies, bundle: Bundle, damage: object, says: str
) -> None:
    keep(policies, bundle)
    policies.use(TUNED.version, 1)
    path = policies.folder / f"{TUNED.version}.json"
    whole = path.read_bytes()
    damaged = damage(whole)  # type: ignore[operator]
    assert damaged != whole
    path.write_bytes(damaged)
    own = policy_of(bundle)
    with pytest.raises(
        BundleError, match=f"{TUNED.version}.json can not be used.*bdp policy use {own.version}"
    ) as told:
        Decider.load(folder)
    assert says in str(told.value)
    with pytest.raises(BundleError, match="can not be used"):
        policies.put(damaged, TUNED.version)
    policies.use(own.version, 2)
    assert Decider.load(folder).policy == own
    policies.put(whole, TUNED.version)
    policies.use(TUNED.version, 3)
    assert Decider.load(folder).policy == TUNED


@pytest.mark.parametrize(
    "damage", [lambda path: path.write_bytes(b"{"), lambda path: path.write_bytes(b"{}")]
)
def test_a_damaged_choice_is_refused(
    folder: Path, policies: LocalPolicies, bundle: Bundle, damage: object
) -> None:
    keep(policies, bundle)
    policies.use(TUNED.version, 1)
    damage(policies.folder / SERVING)  # type: ignore[operator]
    with pytest.raises(BundleError, match=r"serving.json can not be used.*bdp policy use"):
        Decider.load(folder)


def test_a_policy_that_is_gone_is_refused(folder: Path, policies: LocalPolicies, bundle: Bundle) -> None:
    keep(policies, bundle)
    policies.use(TUNED.version, 1)
    (policies.folder / f"{TUNED.version}.json").unlink()
    with pytest.raises(BundleError, match=f"policy {TUNED.version} is not here.*bdp policy use"):
        Decider.load(folder)


def test_what_is_not_kept_can_not_be_used(policies: LocalPolicies) -> None:
    for version in (TUNED.version, "../serving", "serving"):
        with pytest.raises(BundleError, match="bdp policy show"):
            policies.use(version, 1)
    assert not policies.folder.exists()


def test_a_policy_of_another_model_is_not_kept(policies: LocalPolicies, bundle: Bundle) -> None:
    stranger = encode(TUNED, tuning(bundle, model_digest="0" * 12))
    with pytest.raises(BundleError, match="tuned for model 000000000000"):
        policies.put(stranger, TUNED.version)
    with pytest.raises(BundleError, match="its content"):
        policies.put(encode(TUNED, tuning(bundle)), "../../elsewhere")
    assert not policies.folder.exists()
