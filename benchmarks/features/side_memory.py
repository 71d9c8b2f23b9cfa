"""Measures one side's memory: `python -m benchmarks.features.side_memory SIDE FOLDER` (see `..memory`)."""

from __future__ import annotations

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from benchmarks.features.data import Given
from benchmarks.memory import forget_peak, measured_apart, peak, resident

SIDES = MappingProxyType({"ours": "ours", "numpy": "numpy_floor", "duckdb": "duckdb_peer"})
"""Side -> the module whose `features` it is; imported alone, so that none pays for another's libraries."""


def memory_of_sides(given: Given) -> dict[str, dict[str, Any]]:
    """For each side: peak_rss_bytes, peak_above_imports_bytes, output_bytes and peak_rss_vs_data."""
    with tempfile.TemporaryDirectory(prefix="bdp-files-") as folder:
        for name, frame in (("transactions", given.transactions), ("labels", given.labels)):
            # In one piece, as the timed sides have it.
            frame.write_ipc(Path(folder) / f"{name}.arrow", record_batch_size=given.rows)
        return {side: measured_apart("benchmarks.features.side_memory", side, folder) for side in SIDES}


def measure(side: str, folder: Path) -> dict[str, Any]:
    """The peak from the loaded input to the whole answer, which counts both; one run, as a user has it."""
    features = import_module(f"benchmarks.features.{SIDES[side]}").features
    after_imports = resident()
    given = _loaded(folder)
    forget_peak()  # Reading the files is not the side's doing.
    columns = features(given)
    most = peak()
    output = sum(values.nbytes for values in columns.values())
    return {
        "peak_rss_bytes": most,
        "peak_above_imports_bytes": most - after_imports,
        "output_bytes": output,
        "peak_rss_vs_data": round((most - after_imports) / (given.bytes + output), 3),
    }


def _loaded(folder: Path) -> Given:
    transactions, labels = (pl.read_ipc(folder / f"{name}.arrow") for name in ("transactions", "labels"))
    return Given(transactions, labels, folder.name)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(sys.argv[1], Path(sys.argv[2]))) + "\n")
