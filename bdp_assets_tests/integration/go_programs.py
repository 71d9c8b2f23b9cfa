"""Programs that Go builds once and that are kept for the next run: nobody has to install them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

BUILD_TIMEOUT_S = 1_500


def kept(name: str) -> Path:
    """A folder of this user's cache."""
    caches = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = caches / "bdp-platform" / name
    folder.mkdir(parents=True, exist_ok=True)
    return folder


_QUICK = {"CGO_ENABLED": "0", "GOFLAGS": "'-gcflags=all=-N -l'"}
"""Not optimised: a third less time to build."""


def built(
    program: Path, *arguments: str, otherwise: str, source: Path | None = None, quick: bool = False
) -> Path:
    """What `go ARGUMENTS` makes; skips the test without Go, and says what to do `otherwise`.

    `quick`: of a program that runs for moments.
    """
    if shutil.which("go") is None:
        pytest.skip(otherwise)
    run = subprocess.run(
        ["go", *arguments],
        cwd=source or program.parent,
        env={**os.environ, "GOBIN": str(program.parent), **(_QUICK if quick else {})},
        capture_output=True,
        text=True,
        timeout=BUILD_TIMEOUT_S,
        check=False,
    )
    assert run.returncode == 0, run.stderr[-2_000:]
    return program
