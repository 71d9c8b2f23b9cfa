"""A worker that dies takes the process above it along: calls must not wait where nobody answers.

BentoML's parent holds the socket that its worker listens on. It looks for dead workers every ten seconds,
and until a new one has loaded its model, calls are connected and hang; a proxy has no reason to ask another
replica. With the parent the socket closes: waiting connections are reset, later ones refused. Whoever started
the service (supervisord, Docker, the kubelet) starts it anew, as it would if all of it had died.
"""

from __future__ import annotations

import logging
import os
import signal
from typing import Any

_ASKED = frozenset({signal.SIGTERM, signal.SIGINT})
_ENDED = os.WEXITED | os.WNOHANG | os.WNOWAIT
"""Look only: BentoML collects its children itself."""

_log = logging.getLogger("bdp.api.worker_death")


def end_with_worker() -> None:
    """From now on, have this process stop when a child of it dies that nobody asked to."""
    signal.signal(signal.SIGCHLD, _child_ended)


def _child_ended(*_: Any) -> None:
    try:
        child = os.waitid(os.P_ALL, 0, _ENDED)
    except ChildProcessError:  # Collected by now.
        return
    if child is not None and _died(child):
        _log.error("the worker died: the service stops, to be started anew")
        os.kill(os.getpid(), signal.SIGTERM)


def _died(child: os.waitid_result) -> bool:
    """Not of a stop, which ends it by the signal that asked for it, or with 0."""
    if child.si_code == os.CLD_EXITED:
        return child.si_status != 0
    return child.si_status not in _ASKED
