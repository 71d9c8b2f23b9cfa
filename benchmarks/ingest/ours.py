"""Our side: what `bdp ingest NAME --to topic` runs, from the file's start.

`python -m benchmarks.ingest.ours NAME` prints the most memory that a process of its own takes for it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from bdp_assets.operations.ingest.run import Summary, forget, once
from bdp_assets.operations.progress import Bar
from bdp_assets.settings import Settings, get_settings
from benchmarks.memory import peak


class Nobody:
    """A screen that nobody looks at."""

    def line(self, text: str) -> None: ...

    def bars(self, bars: Sequence[Bar]) -> None: ...


def send(settings: Settings, name: str) -> int:
    """All rows of the source to the raw topic; how many."""
    forget(settings, name)
    summary = Summary()
    once(settings, name, Nobody(), summary)
    assert not summary.rejected  # noqa: S101 - else the sides did not the same
    return summary.sent


if __name__ == "__main__":
    rows = send(get_settings(), sys.argv[1])
    sys.stdout.write(json.dumps({"rows": rows, "peak_rss_bytes": peak()}) + "\n")
