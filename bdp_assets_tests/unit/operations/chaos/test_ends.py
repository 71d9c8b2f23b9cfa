"""A worker that ended by a stack trace is told; one that was killed, or said why it left, is not."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.operations.chaos import ends
from bdp_assets.operations.chaos.plan import TARGETS

LOG = """\
2026-11-28 06:21:55,622 WARN exited: labels (terminated by SIGKILL; not expected)
2026-11-28 06:22:52,701 WARN exited: labels (exit status 75; not expected)
2026-11-28 06:22:53,101 WARN exited: scoring (exit status 2; not expected)
2026-11-28 06:22:54,201 WARN exited: scoring (exit status 1; not expected)
2026-11-28 06:22:55,301 WARN exited: scoring (exit status 1; not expected)
2026-11-28 06:22:56,401 WARN exited: postgres (exit status 1; not expected)
2026-11-28 06:22:57,501 INFO stopped: labels (exit status 0)
"""


def test_only_workers_that_crashed_are_told(tmp_path: Path) -> None:
    log = tmp_path / "supervisord.log"
    log.write_text(LOG)

    assert ends.strange(log, TARGETS) == ["scoring ended 2 times with exit code 1"]
