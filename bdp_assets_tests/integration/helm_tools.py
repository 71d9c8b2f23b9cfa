"""helm and the checker of objects, built by Go once and kept: nobody has to install them."""

from __future__ import annotations

import shutil
from pathlib import Path

from bdp_assets_tests.integration.go_programs import BUILD_TIMEOUT_S, built, kept

__all__ = ["BUILD_TIMEOUT_S", "helm", "object_check"]

ROOT = Path(__file__).parents[2]
CHECK = ROOT / "deploy" / "helm" / "check"
HELM_VERSION = "v3.18.4"
HELM = f"helm.sh/helm/v3/cmd/helm@{HELM_VERSION}"
OTHERWISE = "there is neither helm nor Go to build it: install one of them (docs/deploy-helm.md)"


def helm() -> Path:
    """The helm of this machine, or the one that is built here (a minute and a half, 92 MB, once)."""
    if found := shutil.which("helm"):
        return Path(found)
    program = kept(f"helm-{HELM_VERSION}") / "helm"
    if program.exists():
        return program
    return built(program, "install", HELM, otherwise=OTHERWISE, quick=True)


def object_check() -> Path:
    """deploy/helm/check, built again whenever it changed: Go knows."""
    program = kept("helm-check") / "helm-check"
    arguments = ("build", "-o", str(program), ".")
    return built(program, *arguments, source=CHECK, otherwise=OTHERWISE, quick=True)
