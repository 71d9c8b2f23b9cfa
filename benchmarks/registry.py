"""Which benches there are. A bench is imported when it is asked for: each brings heavy libraries."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from types import MappingProxyType

from bdp_assets.runtime.problems import Problem
from benchmarks.bench import Bench

BENCHES: Mapping[str, str] = MappingProxyType(
    {
        "api": "benchmarks.api.bench",
        "features": "benchmarks.features.bench",
        "ingest": "benchmarks.ingest.bench",
        "leaks": "benchmarks.model.leaks",
        "model": "benchmarks.model.bench",
        "online": "benchmarks.online.bench",
        "score": "benchmarks.score.bench",
        "stream": "benchmarks.stream.bench",
    }
)
"""Name -> the module whose `BENCH` it is."""


def find(name: str) -> Bench:
    """Raises Problem that lists the names there are."""
    if name not in BENCHES:
        raise Problem(f"There is no bench called {name!r}.", f"The benches are: {', '.join(BENCHES)}.")
    found: Bench = import_module(BENCHES[name]).BENCH
    return found


def listed() -> dict[str, str]:
    """Name -> what it measures."""
    return {name: find(name).summary for name in BENCHES}
