"""Runs one block as a reader would paste it, but strictly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bdp_assets.project import PROJECT
from bdp_assets_tests.docs.blocks import Block

TIMEOUT_S = 300
"""For one block."""
_CURLRC = "fail\nsilent\nshow-error\nmax-time = 60\n"
"""Otherwise curl is content with any answer."""


@dataclass(frozen=True)
class Outcome:
    """What became of a block; `output` is all that it printed, errors too."""

    ok: bool
    output: str


def run(block: Block, timeout_s: float = TIMEOUT_S) -> Outcome:
    """In the checkout, with its programs first on the path; the first command that fails ends it."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / ".curlrc").write_text(_CURLRC)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        shell = subprocess.Popen(
            ["bash", "-euo", "pipefail", "-c", block.script],
            cwd=PROJECT,
            env=os.environ | {"PATH": path, "CURL_HOME": folder, "NO_COLOR": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,  # so that what it started ends with it
        )
        try:
            output, _ = shell.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            os.killpg(shell.pid, signal.SIGKILL)
            output, _ = shell.communicate()
            return Outcome(False, f"{output}\nstill at work after {timeout_s:g} s")
    return Outcome(shell.returncode == 0, output)
