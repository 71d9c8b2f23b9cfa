"""Measures `bdp score --features`: `python -m benchmarks.score.file_memory FILE BUNDLE` (see `..memory`)."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

from bdp_assets.decisions.decider import Decider
from bdp_assets.features.bulk.build import ROWS_PER_BUCKET, silent
from bdp_assets.operations.score_files import score_features
from benchmarks.memory import measured_apart, peak
from benchmarks.score.world import World

PARTS = {"whole": 1, "quarter": 4}


def memory_of_files(world: World) -> dict[str, dict[str, Any]]:
    """For all rows and for a quarter of them: rows, peak_rss_bytes, and how long it took."""
    found = {}
    with tempfile.TemporaryDirectory(prefix="bdp-files-") as folder:
        bundle = world.bundle.write(Path(folder) / "bundle")
        for name, part in PARTS.items():
            file = Path(folder) / f"{name}.parquet"
            rows = world.features.head(len(world.features) // part)
            # As `bdp features build` writes them.
            groups = {"row_group_size": ROWS_PER_BUCKET, "compression": "zstd"}
            rows.write_parquet(file, use_pyarrow=True, pyarrow_options=groups)
            found[name] = measured_apart("benchmarks.score.file_memory", str(file), str(bundle))
    return found


def measure(features: Path, bundle: Path) -> dict[str, Any]:
    """The whole process, from its imports to the finished file."""
    done = score_features(features, features.with_suffix(".scores.parquet"), Decider.load(bundle), silent)
    return {"rows": done.rows, "seconds_s": round(done.seconds, 4), "peak_rss_bytes": peak()}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(measure(Path(sys.argv[1]), Path(sys.argv[2]))) + "\n")
