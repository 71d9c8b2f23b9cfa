"""Live decisions of a champion, as they land, and labels of those that are fraud."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec
import numpy as np
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE, event_date, to_frame
from bdp_assets.contracts.records import Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.catalog import CATALOG
from bdp_assets_tests.fakes.scored_lake import START, append
from bdp_assets_tests.fakes.tiny_bundle import tiny_rows
from bdp_assets_tests.unit.decisions.transactions import transaction

DAY_MS = 86_400_000
START_MS = int(datetime(START.year, START.month, START.day, tzinfo=UTC).timestamp() * 1000)


def live_decisions(champion: Decider, *, days: int, a_day: int) -> tuple[list[Prediction], np.ndarray]:
    """Decided by stream and API in turn from START on, and which of them are fraud (bool)."""
    count = days * a_day
    matrix, fraud = tiny_rows(len(CATALOG.names), rows=count, seed=21)
    amounts = np.random.default_rng(5).integers(100, 40_000, count)
    transactions = [
        transaction(
            number,
            int(amounts[number]),
            customer_id=f"c{number % 37}",
            ts_ms=START_MS + number // a_day * DAY_MS,
        )
        for number in range(count)
    ]
    decided = champion.decide_many(
        transactions, matrix, range(count), decided_by="stream", decided_at_ms=START_MS
    )
    turns = ("stream", "api")
    return [msgspec.structs.replace(one, decided_by=turns[i % 2]) for i, one in enumerate(decided)], fraud


def land(lake: Lake, decided: list[Prediction]) -> None:
    lake.append("predictions", to_frame(decided, Prediction, "ts_ms"))


def land_labels(lake: Lake, frauds: list[Prediction]) -> None:
    """Known a day later."""
    known = pl.DataFrame(
        {
            "transaction_id": [one.transaction_id for one in frauds],
            "customer_id": [one.customer_id for one in frauds],
            "is_fraud": True,
            "known_at_ms": [one.ts_ms + DAY_MS for one in frauds],
        }
    )
    append(lake, "labels", known.with_columns(event_date("known_at_ms").alias(EVENT_DATE)))
