"""What becomes of a process whose child ends in one way or another."""

from __future__ import annotations

import subprocess
import sys

import pytest

STOPPED = 7
CODE = f"""
import os, signal, subprocess, sys, time
from bento.worker_death import end_with_worker
signal.signal(signal.SIGTERM, lambda *_: os._exit({STOPPED}))
end_with_worker()
child = subprocess.Popen([sys.executable, "-c", sys.argv[1]])
while os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None:
    time.sleep(0.02)
time.sleep(0.2)
"""
KILL = "import os; os.kill(os.getpid(), {})"


@pytest.mark.parametrize(
    ("child", "ends"),
    [
        (KILL.format(9), STOPPED),
        (KILL.format(11), STOPPED),
        ("raise SystemExit(1)", STOPPED),
        (KILL.format(15), 0),
        (KILL.format(2), 0),
        ("pass", 0),
    ],
)
def test_it_stops_with_a_child_that_nobody_asked_to(child: str, ends: int) -> None:
    assert subprocess.run([sys.executable, "-c", CODE, child], check=False).returncode == ends
