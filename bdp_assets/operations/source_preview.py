"""`bdp sources test`: the first rows of a source as they would arrive."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bdp_assets.ingest.sources.arrivals import Arrival, arrivals
from bdp_assets.ingest.sources.entry import load
from bdp_assets.ingest.sources.reading import chunks
from bdp_assets.settings import Settings

FIRST = 10


@dataclass(frozen=True)
class Preview:
    """`rows` in the source's order."""

    where: str
    rows: list[Arrival]


def preview(settings: Settings, name: str, most: int = FIRST) -> Preview:
    """Nothing is sent and nothing remembered. Raises MappingError, Problem, SourceUnavailable,
    SourceRefused."""
    source = load(settings, name).model_copy(update={"batch_rows": most})
    now_ms = time.time_ns() // 1_000_000
    rows: list[Arrival] = []
    for chunk in chunks(source, lambda _: None, growing=False):
        rows += arrivals(chunk, source.to_contract(), now_ms=now_ms)
        if len(rows) >= most:
            break
    return Preview(source.where, sorted(rows[:most], key=lambda row: row.place))
