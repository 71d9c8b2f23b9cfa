"""A lake with a past of six days whose second has refused rows."""

from __future__ import annotations

from datetime import UTC, datetime

import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts import columns
from bdp_assets.ingest.tables import from_no_topic
from bdp_assets.ingest.validation import validate
from bdp_assets_tests.fakes.messages import PAN_KEY, body
from bdp_assets_tests.unit.defs.conftest import history, home, lake

__all__ = ["history", "home", "lake"]

CARD = "4111111111111111"
TIME = "2026-02-02T10:00:00Z"
AT_MS = int(datetime(2026, 2, 2, 10, tzinfo=UTC).timestamp() * 1000)
ROWS = [
    body("clean", timestamp=TIME),
    body("negative", timestamp=TIME, amount=-1),
    body("card", timestamp=TIME, device_id=CARD),
    body("text", timestamp=TIME, amount="12.50"),
    body("clean", timestamp=TIME, amount=7),
    b"{",
    b"{",
]


@pytest.fixture
def refused(lake: Lake) -> Lake:
    """ROWS as a backfill leaves them; beside them a dead letter of a topic."""
    schema = {name: dtype for name, dtype in columns.RAW.items() if name != columns.EVENT_DATE}
    rows = [{"received_ms": AT_MS, "value": value.decode(), "door": "history"} for value in ROWS]
    raw = pl.DataFrame(rows, schema=schema).with_columns(columns.event_date("received_ms"))
    validated = validate(raw, PAN_KEY)
    lake.append("validated", from_no_topic(validated.transactions))
    lake.append("quarantined", validated.refused)
    letter = validated.refused.head(1).with_columns(source_topic=pl.lit("transactions-raw-v1"))
    lake.append("quarantined", letter)
    return lake
