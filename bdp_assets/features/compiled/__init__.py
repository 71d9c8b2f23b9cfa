"""The kernel's loops. Numba and LLVM take 150 MB and half a second: they come with the first loop that runs.

Processes that only refer to the kernel (the labels' worker, Dagster's code server) never pay for them.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

_LOOPS = {
    "answer": "answers",
    "answer_packed": "packed",
    "answer_program": "program",
    "add_up": "histories",
    "extent": "histories",
    "order_keys": "histories",
    "places_before": "histories",
    "run_starts": "histories",
    "build_pyramids": "extremes",
    "pyramid_size": "extremes",
    "compute": "formulas",
}
"""What is called from outside, and where it is."""


def __getattr__(name: str) -> Callable[..., Any]:
    if name not in _LOOPS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    loop: Callable[..., Any] = getattr(import_module(f"{__name__}.{_LOOPS[name]}"), name)
    globals()[name] = loop  # From now on it is found without coming here.
    return loop


def load() -> None:
    """Load all of them now, for a process that answers soon."""
    for module in dict.fromkeys(_LOOPS.values()):
        import_module(f"{__name__}.{module}")
