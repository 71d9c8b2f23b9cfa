"""helm and the checker of objects, built by Go once and kept: nobody has to install them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "deploy" / "helm" / "check"
HELM_VERSION = "v3.18.4"
HELM = f"helm.sh/helm/v3/cmd/helm@{HELM_VERSION}"
BUILD_TIMEOUT_S = 1_500


def helm() -> Path:
    """The helm of this machine, or the one that is built here (two idle minutes, 110 MB, once)."""
    if found := shutil.which("helm"):
        return Path(found)
    kept = _kept(f"helm-{HELM_VERSION}")
    program = kept / "helm"
    return program if program.exists() else _built(program, "install", HELM)


def object_check() -> Path:
    """deploy/helm/check, built again whenever it changed: Go knows."""
    program = _kept("helm-check") / "helm-check"
    return _built(program, "build", "-o", str(program), ".", source=CHECK)


def _kept(name: str) -> Path:
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "bdp-platform" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _built(program: Path, *arguments: str, source: Path | None = None) -> Path:
    if shutil.which("go") is None:
        pytest.skip("there is neither helm nor Go to build it: install one of them (docs/deploy-helm.md)")
    run = subprocess.run(
        ["go", *arguments],
        cwd=source or program.parent,
        env={**os.environ, "GOBIN": str(program.parent)},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    return program
