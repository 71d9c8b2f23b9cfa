"""The floor: Python's own CSV reader and a plain idempotent producer, without any code of ours in between.

It sends the same bytes under the same keys. It knows no mapping, no contract, no quarantine and no position;
killed, it has lost or doubled rows.
"""

from __future__ import annotations

import csv
from pathlib import Path

from bdp_assets.clients.kafka import producer
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.topics import RAW
from bdp_assets.settings import Settings
from benchmarks.ingest.shop import COLUMNS, NUMBERS

_MEMBERS = (f'"{name}":%s' if name in NUMBERS else f'"{name}":"%s"' for name in COLUMNS)
_TEMPLATE = "{" + ",".join(_MEMBERS) + "}"
_KEY = COLUMNS.index("customer_id")
_FLUSH_S = 60.0


def send(settings: Settings, file: Path) -> int:
    """Rows of the file to the raw topic; how many."""
    out = producer(settings)
    headers = [schema_version_header(RAW)]
    count = 0
    with file.open(newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        next(rows)
        for row in rows:
            while True:
                try:
                    out.produce(RAW.name, _TEMPLATE % tuple(row), row[_KEY], headers=headers)
                    break
                except BufferError:
                    out.poll(0.05)
            count += 1
            out.poll(0)
    assert out.flush(_FLUSH_S) == 0  # noqa: S101 - else it was no floor
    return count
