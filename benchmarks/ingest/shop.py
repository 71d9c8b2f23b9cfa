"""The file that is ingested, and its entry: simulated transactions with every field of the contract."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import yaml

from bdp_assets.contracts.wire import RawTransaction
from bdp_assets.simulator.world import World, midnight

COLUMNS = tuple(name for name in RawTransaction.__struct_fields__ if name not in ("currency", "type"))
NUMBERS = frozenset({"amount", "latitude", "longitude"})
_A_DAY = 1.8
"""A customer's transactions in a day of the simulator, at least."""
_CUSTOMERS = 5_000


def write(folder: Path, rows: int, name: str) -> Path:
    """`rows` transactions as the source `name` of that folder; returns the file. Values fill every column, so
    that whoever pastes a row into a template has the very bytes that a mapping makes of it."""
    folder.mkdir(parents=True, exist_ok=True)
    days = 1 + int(rows / (_A_DAY * _CUSTOMERS))
    made = World(customers=_CUSTOMERS).history(midnight(time.time_ns() // 1_000_000), days).transactions
    absent = {
        "latitude": "48.85",
        "longitude": "2.35",
        "device_id": "D1",
        "ip": "192.0.2.1",
        "channel": "pos",
    }
    columns = [
        (pl.col(name) if name in made.columns else pl.lit(None))
        .cast(pl.String)
        .fill_null(absent.get(name, "XX"))
        .alias(name)
        for name in COLUMNS
    ]
    file = folder / f"{name}.csv"
    made.head(rows).select(columns).write_csv(file)
    entry = {"name": name, "location": file.name, "fields": {column: column for column in COLUMNS}}
    (folder / f"{name}.yaml").write_text(yaml.safe_dump(entry))
    return file
