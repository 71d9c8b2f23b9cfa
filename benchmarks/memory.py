"""How much memory a side takes, in a process of its own: what ran before must not lend it freed memory.

The measured process (`python -m <module> ...`) calls `resident` and `peak` and prints its figures as JSON.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import psutil

from bdp_assets.project import PROJECT
from bdp_assets.runtime.problems import Problem

_OWN = Path("/proc/self")


def measured_apart(
    module: str, *arguments: str, environment: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """The figures that a fresh process of a module prints. Raises Problem.

    `environment`: BDP_ variables in the place of those there are.
    """
    others = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
    variables = None if environment is None else {**others, **environment}
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(command, cwd=PROJECT, env=variables, capture_output=True, text=True, check=False)
    if done.returncode:
        raise Problem(f"Measuring memory failed:\n{done.stderr[-2000:].strip()}", "Mend what it names.")
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def resident() -> int:
    """Bytes of this process that are in memory now."""
    return psutil.Process().memory_info().rss


def forget_peak() -> None:
    """Let `peak` begin anew, where the kernel can; elsewhere it goes on counting from the start."""
    try:
        (_OWN / "clear_refs").write_text("5")
    except OSError:
        return


def peak() -> int:
    """The most bytes that were in memory at once since `forget_peak`.

    On Linux the process' own high-water mark: `getrusage` also counts what the parent had when it forked.
    """
    try:
        lines = (_OWN / "status").read_text().splitlines()
    except OSError:
        most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return most if sys.platform == "darwin" else most * 1024
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:"))
