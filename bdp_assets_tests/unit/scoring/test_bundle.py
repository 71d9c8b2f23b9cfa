from __future__ import annotations

import shutil
from pathlib import Path

import msgspec
import pytest

from bdp_assets.decisions.decider import Decider
from bdp_assets.scoring.bundle import MANIFEST, REGISTRATION, Bundle, BundleError, Manifest, Registration
from bdp_assets.scoring.ensemble import Ensemble

FILES = ["random_forest.onnx", "isolation_forest.onnx", "policy.json", "attributions.npz"]


@pytest.fixture
def copy(bundle_folder: Path, tmp_path: Path) -> Path:
    return shutil.copytree(bundle_folder, tmp_path / "copy")


def change_manifest(folder: Path, **changes: object) -> None:
    manifest = msgspec.json.decode((folder / MANIFEST).read_bytes(), type=Manifest)
    (folder / MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, **changes)))


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_refused(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(BundleError, match=rf"{name} is corrupt.*bdp train"):
        Decider.load(copy)


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_a_missing_file_is_refused(copy: Path, name: str) -> None:
    (copy / name).unlink()
    with pytest.raises(BundleError, match=rf"can not read .*{name}"):
        Decider.load(copy)


@pytest.mark.parametrize("name", [*FILES, MANIFEST])
def test_of_a_registered_one_the_registry_has_what_is_damaged_or_gone(copy: Path, name: str) -> None:
    registration = Registration("fraud", "3", Bundle.read(copy).info.digest)
    (copy / REGISTRATION).write_bytes(msgspec.json.encode(registration))
    (copy / name).write_bytes((copy / name).read_bytes()[:-1])
    with pytest.raises(BundleError, match=rf"{name} .*`bdp models fetch 3`") as damaged:
        Decider.load(copy)
    (copy / name).unlink()
    with pytest.raises(BundleError, match=rf"{name}: .*`bdp models fetch 3`") as gone:
        Decider.load(copy)
    assert "bdp train" not in f"{damaged.value} {gone.value}"


def test_a_manifest_that_is_not_one_is_refused(copy: Path) -> None:
    (copy / MANIFEST).write_text('{"format": "one"}')
    with pytest.raises(BundleError, match="damaged"):
        Bundle.read(copy)


def test_another_format_is_refused(copy: Path) -> None:
    change_manifest(copy, format=99)
    with pytest.raises(BundleError, match="format 99"):
        Bundle.read(copy)


def test_another_catalog_is_refused(copy: Path) -> None:
    training = Bundle.read(copy).manifest.training
    change_manifest(copy, training=msgspec.structs.replace(training, catalog_version="000000000000"))
    with pytest.raises(BundleError, match="000000000000"):
        Ensemble.load(copy)


def test_a_graph_that_is_none_is_refused(bundle_folder: Path, tmp_path: Path) -> None:
    good = Bundle.read(bundle_folder)
    manifest = good.manifest
    files = {**good.files, "random_forest.onnx": b"not a graph"}
    Bundle.of(manifest.training, manifest.members, manifest.calibration, files).write(tmp_path)
    with pytest.raises(BundleError, match=r"random_forest\.onnx.*not a graph"):
        Ensemble.load(tmp_path)


def test_written_is_read_and_equal_content_has_an_equal_digest(bundle_folder: Path, tmp_path: Path) -> None:
    bundle = Bundle.read(bundle_folder)
    again = Bundle.read(bundle.write(tmp_path / "again"))
    assert again.info == bundle.info
    assert again.files == bundle.files
    assert bundle.with_metrics({"auc": 0.9}).info.digest != bundle.info.digest


def test_a_registration_names_the_version_and_keeps_the_digest(copy: Path) -> None:
    before = Bundle.read(copy).info
    assert before.version == f"unregistered-{before.digest}"
    (copy / REGISTRATION).write_bytes(msgspec.json.encode(Registration("fraud", "12")))
    after = Bundle.read(copy).info
    assert (after.name, after.version, after.digest) == ("fraud", "12", before.digest)


def registered(folder: Path, digest: str | None) -> None:
    (folder / REGISTRATION).write_bytes(msgspec.json.encode(Registration("fraud", "12", digest)))


def change_a_weight(folder: Path) -> None:
    first, *others = Bundle.read(folder).manifest.members
    change_manifest(folder, members=(msgspec.structs.replace(first, weight=0.195), *others))


def test_one_changed_number_of_a_registered_manifest_is_refused(copy: Path) -> None:
    registered(copy, Bundle.read(copy).info.digest)
    Bundle.read(copy)
    change_a_weight(copy)
    with pytest.raises(BundleError, match=r"damaged: its manifest\.json .*`bdp models fetch 12`"):
        Decider.load(copy)


def test_a_registration_from_before_digests_takes_the_manifest_as_it_is(copy: Path) -> None:
    (copy / REGISTRATION).write_text('{"name":"fraud","version":"12"}')
    change_a_weight(copy)
    assert Bundle.read(copy).info.version == "12"
