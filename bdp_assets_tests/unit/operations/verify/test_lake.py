"""Which rows of the lake came by a topic."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.dead_letters import of_source
from bdp_assets.contracts.topics import DLQ, RAW
from bdp_assets.ingest.landing import NOT_DECODABLE
from bdp_assets.ingest.validation import SOURCE as HISTORY
from bdp_assets.operations.verify import lake as verified


def test_letters_of_topics_and_of_sources_are_counted_and_those_of_the_history_are_not(
    tmp_path: Path,
) -> None:
    lake = Lake(str(tmp_path))
    rows = {
        "source_topic": [RAW.name, of_source("shop"), HISTORY, RAW.name],
        "error": ["out_of_range", "out_of_range", "out_of_range", NOT_DECODABLE],
        "event_date": [date(2026, 2, 1)] * 4,
    }
    lake.append("quarantined", pl.DataFrame(rows))
    assert verified._rows(lake, DLQ.name, {"quarantined": lake.version("quarantined")}) == 2
