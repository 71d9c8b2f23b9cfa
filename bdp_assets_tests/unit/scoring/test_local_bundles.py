from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from bdp_assets.scoring.bundle import REGISTRATION, Bundle, BundleError, Registration, registration_in
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle


@pytest.fixture
def bundles(tmp_path: Path) -> LocalBundles:
    return LocalBundles(tmp_path / "models")


def copier(source: Path) -> Callable[[Path], None]:
    return lambda folder: shutil.copytree(source, folder, dirs_exist_ok=True) and None


def test_put_then_activate_then_another(bundles: LocalBundles, bundle_folder: Path) -> None:
    digest = Bundle.read(bundle_folder).info.digest
    assert bundles.active() is None
    for version in ("1", "2"):
        bundles.put(Registration("fraud", version, digest), copier(bundle_folder))
        bundles.activate(version)
        assert bundles.active() == version
        assert Bundle.read(bundles.champion).info.version == version
    assert sorted(path.name for path in bundles.models_dir.iterdir()) == ["1", "2", "champion"]


def test_what_is_there_and_whole_is_not_fetched_again(bundles: LocalBundles, bundle_folder: Path) -> None:
    digest = Bundle.read(bundle_folder).info.digest
    bundles.put(Registration("fraud", "1", digest), copier(bundle_folder))

    def never(folder: Path) -> None:
        raise AssertionError(folder)

    bundles.put(Registration("fraud", "1", digest), never)


def test_a_damaged_copy_and_a_namesake_are_replaced(
    bundles: LocalBundles, bundle_folder: Path, tmp_path: Path
) -> None:
    info = Bundle.read(bundle_folder).info
    folder = bundles.put(Registration("fraud", "1", info.digest), copier(bundle_folder))
    (folder / "policy.json").write_text("{}")
    bundles.put(Registration("fraud", "1", info.digest), copier(bundle_folder))
    assert Bundle.read(folder).info.digest == info.digest

    other = tiny_bundle(tmp_path / "other", seed=8)
    bundles.put(Registration("fraud", "1", Bundle.read(other).info.digest), copier(other))
    assert Bundle.read(folder).info.digest == Bundle.read(other).info.digest


def test_a_copy_whose_registration_says_no_digest_or_another_version_is_replaced(
    bundles: LocalBundles, bundle_folder: Path
) -> None:
    registration = Registration("fraud", "1", Bundle.read(bundle_folder).info.digest)
    folder = bundles.put(registration, copier(bundle_folder))
    for said in (Registration("fraud", "1"), Registration("fraud", "2", registration.digest)):
        (folder / REGISTRATION).write_bytes(msgspec.json.encode(said))
        bundles.put(registration, copier(bundle_folder))
        assert registration_in(folder) == registration


def test_a_wrong_download_leaves_nothing_behind(bundles: LocalBundles, bundle_folder: Path) -> None:
    with pytest.raises(BundleError, match="not the bundle that was registered"):
        bundles.put(Registration("fraud", "1", "000000000000"), copier(bundle_folder))
    assert list(bundles.models_dir.iterdir()) == []


def test_a_damaged_download_is_refused_by_version_and_file(
    bundles: LocalBundles, bundle_folder: Path
) -> None:
    def damaged(folder: Path) -> None:
        copier(bundle_folder)(folder)
        (folder / "policy.json").write_text("{}")

    with pytest.raises(BundleError) as refused:
        bundles.put(Registration("fraud", "7", Bundle.read(bundle_folder).info.digest), damaged)
    assert str(refused.value).startswith(
        "the registry's copy of model 7 can not be used: policy.json is corrupt: its sha256 is not"
    )
    assert str(bundles.models_dir) not in str(refused.value)
    assert "rollback" not in str(refused.value)


def test_a_version_whose_files_are_gone_from_the_registry_is_named(bundles: LocalBundles) -> None:
    with pytest.raises(BundleError, match="copy of model 7 can not be used: its files are gone"):
        bundles.put(Registration("fraud", "7", "000000000000"), lambda folder: None)


def test_of_two_first_downloads_the_second_uses_what_the_first_brought(
    bundles: LocalBundles, bundle_folder: Path
) -> None:
    registration = Registration("fraud", "1", Bundle.read(bundle_folder).info.digest)
    there: list[int] = []

    def as_another_is_first(folder: Path) -> None:
        there.append(bundles.put(registration, copier(bundle_folder)).stat().st_ino)
        copier(bundle_folder)(folder)

    assert bundles.put(registration, as_another_is_first).stat().st_ino == there[0]
    assert [path.name for path in bundles.models_dir.iterdir()] == ["1"]


def test_activating_what_is_not_here_is_refused(bundles: LocalBundles) -> None:
    with pytest.raises(BundleError, match="bdp models use 7"):
        bundles.activate("7")


def test_a_bundle_is_found_by_version_by_path_and_as_champion(
    bundles: LocalBundles, bundle_folder: Path
) -> None:
    with pytest.raises(BundleError, match=r"no champion.*bdp train"):
        bundles.find(None)
    digest = Bundle.read(bundle_folder).info.digest
    folder = bundles.put(Registration("fraud", "1", digest), copier(bundle_folder))
    bundles.activate("1")
    assert bundles.find("1") == folder
    assert bundles.find(None).resolve() == folder
    assert bundles.find(str(bundle_folder)) == bundle_folder
    with pytest.raises(BundleError, match=r"Model 2 is neither.*bdp models use"):
        bundles.find("2")
