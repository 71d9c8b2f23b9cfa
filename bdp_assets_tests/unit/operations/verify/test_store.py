from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.records import EnrichedTransaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.times import DAY
from bdp_assets.ingest.erased import note_merchants
from bdp_assets.operations.verify.store import _erased_at, _unknowable, _untold

VISITED = datetime(2026, 3, 10, 12, tzinfo=UTC)
VISITED_MS = int(VISITED.timestamp() * 1000)


def enriched(merchant_id: str | None, ts_ms: int) -> EnrichedTransaction:
    return EnrichedTransaction(
        transaction_id="t",
        customer_id="c",
        timestamp="2026-03-11T12:00:00Z",
        ts_ms=ts_ms,
        amount="1",
        currency="USD",
        amount_minor=100,
        amount_base_minor=100,
        rates_version="r",
        body_hash="0" * 32,
        merchant_id=merchant_id,
        catalog_version=CATALOG.version,
        apply_seq=1,
        features={},
    )


def test_features_of_a_merchant_are_unknowable_while_an_erased_visit_may_be_in_its_windows(
    tmp_path: Path,
) -> None:
    lake = Lake(str(tmp_path))
    note_merchants(lake, pl.DataFrame({"merchant_id": ["m-1"], "event_date": [VISITED.date()]}))
    payers = [enriched(merchant_id=where, ts_ms=VISITED_MS + DAY) for where in ("m-1", "m-2", None)]
    there, elsewhere, nowhere = _unknowable(payers, _erased_at(lake, payers))
    unknowable = {name for name, is_so in zip(CATALOG.names, there, strict=True) if is_so}
    assert unknowable == {name for name in CATALOG.names if name.startswith("merchant_")}
    assert not elsewhere.any()
    assert not nowhere.any()
    assert not _erased_at(lake, [enriched(merchant_id="m-1", ts_ms=VISITED_MS + 400 * DAY)])


def test_a_fraud_that_no_table_has_is_left_out_until_no_window_reaches_it() -> None:
    """As docs/online-store.md has it: else the merchant would never be compared again."""
    history = pl.DataFrame(schema={"customer_id": pl.String, "transaction_id": pl.String})
    label = {"customer_id": "c-1", "transaction_id": "never was", "is_fraud": True, "known_at_ms": VISITED_MS}
    labels = pl.DataFrame([{**label, "merchant_id": "m-1", "ts_ms": VISITED_MS - DAY}])
    assert _untold(history, labels, [enriched(merchant_id="m-1", ts_ms=VISITED_MS + DAY)]) == {"m-1"}
    assert not _untold(history, labels, [enriched(merchant_id="m-1", ts_ms=VISITED_MS + 400 * DAY)])
