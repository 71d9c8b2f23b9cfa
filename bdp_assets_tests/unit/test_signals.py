"""A test run hears SIGTERM, and so do its children: whoever started it, whatever ran in it."""

from __future__ import annotations

import signal
import subprocess
import sys

RUN = """
import signal, subprocess, sys
signal.signal(signal.SIGINT, signal.SIG_IGN)  # as a shell starts what is in its background
import bdp_assets_tests.conftest
import dagster as dg
dg.GraphDefinition("nothing").to_job().execute_in_process()
child = subprocess.Popen([sys.executable, "-c", "import time; print(flush=True); time.sleep(60)"], stdout=-1)
child.stdout.readline()
child.terminate()
print(child.wait(30))
"""


def test_a_child_hears_sigterm_after_a_run_of_dagster_in_the_background() -> None:
    done = subprocess.run([sys.executable, "-c", RUN], capture_output=True, text=True, check=True)
    assert int(done.stdout) == -signal.SIGTERM
