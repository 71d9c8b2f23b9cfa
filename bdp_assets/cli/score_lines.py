"""How scores look in a terminal."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.contracts.records import Decision
from bdp_assets.operations.score_files import Scored


def written(scored: Scored, version: str, output: Path) -> str:
    """One line about a file of scores."""
    mix = ", ".join(f"{scored.decisions.get(one.value, 0):,} {one.value}" for one in Decision)
    return (
        f"{scored.rows:,} rows scored by model {version} ({mix}) in {scored.seconds:.1f} s, "
        f"{scored.peak_bytes / 1024**2:,.0f} MB at most: {output}"
    )
