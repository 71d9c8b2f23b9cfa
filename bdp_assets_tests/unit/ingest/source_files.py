"""Small source files for tests."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import polars as pl
import yaml

from bdp_assets.ingest.mapping import load_mapping
from bdp_assets.ingest.source import HistorySource

PLAIN: dict[str, Any] = {
    "name": "test",
    "fields": {
        "transaction_id": "id",
        "customer_id": "customer",
        "amount": "amount",
        "timestamp": {"column": "time", "time_zone": "UTC"},
    },
}


def source(
    frame: pl.DataFrame, folder: Path, mapping: dict[str, Any] | None = None, ending: str = "parquet"
) -> HistorySource:
    """A file of that frame and, unless it is None, its mapping through YAML."""
    file = folder / f"transactions.{ending}"
    {"parquet": frame.write_parquet, "csv": frame.write_csv, "ndjson": frame.write_ndjson}[ending](file)
    if mapping is None:
        return HistorySource(file)
    path = folder / "mapping.yaml"
    path.write_text(yaml.safe_dump(mapping))
    return HistorySource(file, load_mapping(path))


def mapping(**fields: Any) -> dict[str, Any]:
    """PLAIN with other or more fields."""
    return {**PLAIN, "fields": {**PLAIN["fields"], **fields}}


def bodies(rows: pl.DataFrame) -> list[dict[str, Any]]:
    """The JSON of each row; numbers as their literal text, to see digits."""
    return [json.loads(value, parse_float=str, parse_int=str) for value in rows["value"]]
