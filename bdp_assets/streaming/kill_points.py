"""Places in the runner at which a worker can be made to die, as by kill -9: for `bdp chaos` and tests.

A point is armed by a file in the folder `BDP_KILL_POINTS`. The worker that comes by takes the file away and
kills itself, so a point strikes once, and a running worker need not be told. Where the setting is not set, as
in production, a point is a call of a function that does nothing.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from enum import StrEnum
from functools import partial
from pathlib import Path


class Point(StrEnum):
    """A write boundary of one micro-batch, in the order in which the runner comes by."""

    BEFORE_STATE = "before-state"
    AFTER_STATE = "after-state"
    BEFORE_PRODUCE = "before-produce"
    AFTER_PRODUCE = "after-produce"
    BEFORE_COMMIT = "before-commit"
    AFTER_COMMIT = "after-commit"


Reached = Callable[[Point], None]
"""Told of each point that the runner comes by."""


def nowhere(_point: Point) -> None:
    """Nobody dies."""


def armed(folder: Path | None, worker: str) -> Reached:
    """What a worker of that name, `kind-slot`, tells of its points."""
    return nowhere if folder is None else partial(_strike, folder, worker)


def arm(folder: Path, worker: str, point: Point) -> Path:
    """Let the worker die when it next comes by. The file that is returned is gone once it does."""
    file = _file(folder, worker, point)
    file.touch()
    return file


def _strike(folder: Path, worker: str, point: Point) -> None:
    try:
        _file(folder, worker, point).unlink()
    except FileNotFoundError:
        return
    os.kill(os.getpid(), signal.SIGKILL)


def _file(folder: Path, worker: str, point: Point) -> Path:
    return folder / f"{worker}.{point}"
