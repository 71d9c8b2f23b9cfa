"""What `bdp backup` and `bdp restore` say at their end."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bdp_assets.operations.backup.manifest import Manifest


def taken_line(made: Manifest, folder: Path) -> str:
    """Where it is, what it holds, what it cost."""
    return (
        f"{folder}: {_holds(made)}; stopped for {made.seconds_down:.0f} s.\n{_on_the_way(made)}"
        "It holds this platform's secrets: keep it where only you can read."
    )


def restored_line(taken: Manifest) -> str:
    """What is there again, and what comes next."""
    when = datetime.fromtimestamp(taken.taken_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    return (
        f"As of {when}: {_holds(taken)}; every count as it was.\n{_on_the_way(taken)}"
        "`bdp up` starts it, `bdp verify --wait 120` proves it."
    )


def _holds(manifest: Manifest) -> str:
    counts = manifest.counts
    rows, messages = sum(counts["postgres"].values()), sum(counts["topics"].values())
    landed = sum(number for name, number in counts["lake"].items() if name.endswith(" rows"))
    return (
        f"{manifest.files:,} files, {manifest.bytes / 2**20:,.0f} MB; {rows:,} rows in PostgreSQL, "
        f"{messages:,} offsets in Kafka, {landed:,} rows in the lake"
    )


def _on_the_way(manifest: Manifest) -> str:
    behind = ", ".join(f"{part} {number:,}" for part, number in manifest.lag.items() if number)
    return f"On its way then: {behind}. It goes on when the platform does.\n" if behind else ""
