"""Every lock has hashes and agrees with the others; the wheel carries what the code reads."""

from __future__ import annotations

import re
import tomllib

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from bdp_assets import project
from bdp_assets.project import PROJECT
from bdp_assets_tests import compose
from bdp_assets_tests.supply_chain.locks import pinned_here, pins, without_hash

PYPROJECT = tomllib.loads((PROJECT / "pyproject.toml").read_text())
EXTRAS = PYPROJECT["project"]["optional-dependencies"]
HOOK = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["hooks"]["custom"]
CARRIED = HOOK["files"]
LOCKS = {file.name: file.read_text() for file in PROJECT.glob("requirements*.lock")}


@pytest.mark.parametrize("name", LOCKS)
def test_every_pin_has_a_hash(name: str) -> None:
    assert pins(LOCKS[name])
    assert without_hash(LOCKS[name]) == []


def test_a_pin_without_a_hash_is_found() -> None:
    hashed = "{} \\\n    --hash=sha256:aa\n    # via x\n".format
    lock = hashed("one==1") + "two==2 ; python_version < '4'\n" + hashed("three==3")
    assert without_hash(lock) == ["two==2 ; python_version < '4'"]
    assert [str(pin.specifier) for pin in pins(lock)] == ["==1", "==2", "==3"]
    assert pinned_here(lock) == {"one": "1", "two": "2", "three": "3"}


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_has_a_lock_that_adds_to_the_platforms(extra: str) -> None:
    lock = LOCKS[f"requirements-{extra}.lock"]
    platform = {str(pin) for pin in pins(LOCKS["requirements.lock"])}
    assert platform < {str(pin) for pin in pins(lock)}
    for needed in map(Requirement, EXTRAS[extra]):
        assert needed.specifier.contains(pinned_here(lock)[canonicalize_name(needed.name)])


def test_developers_have_what_users_have() -> None:
    developers = pinned_here(LOCKS["requirements-dev.lock"])
    for name in ("requirements.lock", *(f"requirements-{extra}.lock" for extra in EXTRAS)):
        assert pinned_here(LOCKS[name]).items() <= developers.items()


def test_the_wheel_carries_what_the_code_reads_beside_itself() -> None:
    read = {found for file in (PROJECT / "bdp_assets").rglob("*.py") for found in _read(file.read_text())}
    assert {"schemas", "deploy/migrations", "requirements.lock"} <= read
    assert [
        path for path in read if not any(_within(path, one) or _within(one, path) for one in CARRIED)
    ] == []
    assert all(target == f"bdp_assets/{project._CARRIED.name}/{path}" for path, target in CARRIED.items())


def _read(code: str) -> list[str]:
    """Paths below FILES: `FILES / "deploy" / "kafka"` is deploy/kafka."""
    found = re.findall(r'\bFILES((?: / "[^"]+")+)', code)
    return ["/".join(re.findall('"([^"]+)"', words)) for words in found]


def _within(path: str, folder: str) -> bool:
    return f"{path}/".startswith(f"{folder}/")


def test_the_image_is_built_with_what_the_wheel_carries() -> None:
    allowed = set(re.findall(r"^!(.+)$", (PROJECT / ".dockerignore").read_text(), re.M))
    assert {*CARRIED, HOOK["path"]} <= allowed
    copied = [
        line.split()[1:-1] for line in compose.DOCKERFILE.read_text().splitlines() if line.startswith("COPY ")
    ]
    sources = {source for line in copied for source in line}
    assert all(path in sources or path.split("/")[0] in sources for path in CARRIED)
