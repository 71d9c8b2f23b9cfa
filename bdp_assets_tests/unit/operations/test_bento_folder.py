"""What pip has to install for a Bento, read from a lock; and its model stays the one that was packed."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from bdp_assets.operations.bento_folder import pin, requirements
from bdp_assets.project import PROJECT
from bdp_assets.scoring.bundle import MANIFEST, REGISTRATION, Bundle, BundleError, Registration
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

LOCK = """\
arrays==2.0 ; python_full_version < '3.12' \\
    --hash=sha256:00
    # via
    #   bdp-platform (pyproject.toml)
    #   Train_Kit
arrays==3.0 ; python_full_version >= '3.12' \\
    --hash=sha256:01
    # via
    #   bdp-platform (pyproject.toml)
    #   train-kit
maths==1.0 \\
    --hash=sha256:02
    # via train-kit
server==1.1.post1 \\
    --hash=sha256:03 \\
    --hash=sha256:04
    # via bdp-platform (pyproject.toml)
sockets==0.1 \\
    --hash=sha256:05
    # via server
train-kit==7 \\
    --hash=sha256:06
    # via bdp-platform (pyproject.toml)
wires==5 \\
    --hash=sha256:07
    # via sockets
"""


def test_what_is_loaded_and_all_that_it_needs_as_pinned() -> None:
    assert requirements(LOCK, {"Server"}) == ["server==1.1.post1", "sockets==0.1", "wires==5"]


def test_pins_of_several_machines_stay_side_by_side() -> None:
    assert requirements(LOCK, {"arrays"}) == [
        "arrays==2.0 ; python_full_version < '3.12'",
        "arrays==3.0 ; python_full_version >= '3.12'",
    ]


def test_what_somebody_else_loads_because_it_is_there_is_not_needed() -> None:
    assert requirements(LOCK, {"maths", "sockets", "not-in-the-lock"}) == []


def test_our_own_lock_is_read() -> None:
    pinned = requirements((PROJECT / "requirements.lock").read_text(), {"bentoml", "numba"})
    names = {pin.partition("==")[0] for pin in pinned}
    assert {"bentoml", "numba", "llvmlite", "numpy", "starlette"} <= names
    assert not names & {"dagster", "mlflow", "pandas", "scipy"}


@pytest.mark.parametrize("registered_before_digests", [False, True])
def test_a_packed_manifest_with_one_changed_number_is_refused(
    tmp_path: Path, registered_before_digests: bool
) -> None:
    packed = tiny_bundle(tmp_path / "champion")
    digest = Bundle.read(packed).info.digest
    registration = Registration("fraud", "1", None if registered_before_digests else digest)
    (packed / REGISTRATION).write_bytes(msgspec.json.encode(registration))
    pin(packed, digest)
    assert Bundle.read(packed).info.digest == digest
    manifest = packed / MANIFEST
    manifest.write_bytes(manifest.read_bytes().replace(b"0.9", b"0.1", 1))
    with pytest.raises(BundleError, match="a Bento is built anew"):
        Bundle.read(packed)


def test_what_was_never_registered_gets_no_registration(tmp_path: Path) -> None:
    packed = tiny_bundle(tmp_path / "champion")
    pin(packed, "0" * 12)
    assert not (packed / REGISTRATION).exists()
