from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.records import Prediction
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest.tables import TABLES
from bdp_assets.ingest.validation import validate
from bdp_assets.operations import batch_decisions
from bdp_assets.operations.batch_decisions import decide_history
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

DAY = date(2026, 1, 1)
COUNT = 30


@pytest.fixture
def decider(tmp_path: Path) -> Decider:
    return Decider.load(tiny_bundle(tmp_path / "bundle"))


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    """One day of enriched history, and one streamed row that has its decision already."""
    raw = pl.DataFrame(
        {"value": [body(f"t-{n}", amount=n + 1).decode() for n in range(COUNT)]},
    ).with_columns(
        received_ms=pl.lit(NOW_MS),
        value_base64=pl.lit(None, pl.String),
        pan_hashes=pl.lit(None, pl.List(pl.String)),
        door=pl.lit("history"),
        event_date=pl.lit(DAY),
    )
    clean = validate(raw, PAN_KEY).transactions
    features = {name: (pl.int_range(pl.len()) * 1.5 + i).alias(name) for i, name in enumerate(CATALOG.names)}
    enriched = clean.with_columns(
        catalog_version=pl.lit(CATALOG.version), apply_seq=pl.int_range(1, COUNT + 1), **features
    ).select(TABLES["enriched"].names())
    lake = Lake(str(tmp_path / "lake"))
    lake.append("enriched", enriched)
    live = enriched.head(1).with_columns(door=pl.lit("stream"), transaction_id=pl.lit("live"))
    lake.append("enriched", live)
    return lake


def test_batch_decides_as_the_decider_does_one_by_one(
    lake: Lake, decider: Decider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batch_decisions, "CHUNK", 7)
    decided = decide_history(lake, decider, DAY, DAY, decided_at_ms=NOW_MS)
    assert len(decided) == COUNT
    rows = {row["transaction_id"]: row for row in lake.read("enriched").iter_rows(named=True)}
    for row in decided.iter_rows(named=True):
        number = int(row["transaction_id"].removeprefix("t-"))
        alone = _alone(decider, number, [rows[row["transaction_id"]][name] for name in CATALOG.names])
        assert row["fraud_probability"] == alone.fraud_probability
        assert row["decision"] == alone.decision.value


def test_rows_of_another_catalog_are_left_out(lake: Lake, decider: Decider) -> None:
    other = lake.read("enriched").with_columns(catalog_version=pl.lit("other"))
    lake.replace("enriched", other, f"{EVENT_DATE} = '{DAY}'")
    assert decide_history(lake, decider, DAY, DAY, decided_at_ms=NOW_MS).is_empty()


def _alone(decider: Decider, number: int, features: list[float]) -> Prediction:
    transaction = decode_transaction(body(f"t-{number}", amount=number + 1), received_ms=NOW_MS)
    (prediction,) = decider.decide_many(
        [transaction], np.array([features]), [1], decided_by="stream", decided_at_ms=NOW_MS
    )
    return prediction
