"""How workers ended that nobody killed: a stack trace is a defect, though nothing is lost by it."""

from __future__ import annotations

import re
import signal
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from bdp_assets.clients.kafka import stuck
from bdp_assets.operations.chaos.plan import Target

GOOD = (0, 2, stuck.EXIT_CODE, -signal.SIGTERM)
"""Drained; told why it can not go on; the driver hung; asked to leave while Python still began."""

_EXITED = re.compile(r"exited: (\S+) \(exit status (\d+); not expected\)")


def strange(supervisor_log: Path, targets: Sequence[Target]) -> list[str]:
    """A sentence for each worker and exit code that should not be."""
    workers = {target.program for target in targets if target.reads}
    ended = Counter(
        (found[1], int(found[2])) for found in _EXITED.finditer(supervisor_log.read_text(errors="replace"))
    )
    return [
        f"{program} ended {times} times with exit code {code}"
        for (program, code), times in sorted(ended.items())
        if program in workers and code not in GOOD
    ]
