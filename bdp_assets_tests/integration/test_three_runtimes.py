"""The API, the stream and the batch asset give one transaction one score, to the last bit."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.redis import connect
from bdp_assets.contracts.codec import decode_prediction
from bdp_assets.contracts.columns import LABELS
from bdp_assets.contracts.records import Prediction
from bdp_assets.contracts.topics import PREDICTIONS
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.online import OnlineStore
from bdp_assets.ingest.tables import TABLES
from bdp_assets.ingest.validation import validate
from bdp_assets.operations.batch_decisions import decide_history
from bdp_assets.streaming.scoring import Scoring
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body, raw
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic
from bento.calls import Call
from bento.dependencies import Dependencies
from bento.predictor import Predictor
from bento.spool.spool import Spool

STEP_MS = 7 * 3_600_000 + 11
PAST, LIVE = 90, 20
CALL = Call("request", "00-" + "0" * 32 + "-" + "0" * 16 + "-01")

pytestmark = pytest.mark.services


def value(number: int) -> bytes:
    """The n-th transaction: six customers, five merchants, a few hours apart, the last one now."""
    moment = datetime.fromtimestamp((NOW_MS - (PAST + LIVE - number) * STEP_MS) / 1000, UTC)
    return body(
        f"t-{number}",
        f"c-{number % 6}",
        merchant_id=f"m-{number % 5}" if number % 7 else None,
        amount=(number * 37) % 400 + 0.25,
        timestamp=moment.isoformat(timespec="milliseconds"),
    )


VALUES = [value(number) for number in range(PAST + LIVE)]


@pytest.fixture
def decider(tmp_path: Path) -> Decider:
    return Decider.load(tiny_bundle(tmp_path / "bundle"))


@pytest.fixture
def clean() -> pl.DataFrame:
    frame = pl.DataFrame({"value": [text.decode() for text in VALUES]})
    constants = {
        "received_ms": pl.lit(NOW_MS),
        "value_base64": pl.lit(None, pl.String),
        "door": pl.lit("history"),
        "event_date": pl.lit(date(2026, 1, 1)),
    }
    return validate(frame.with_columns(**constants), PAN_KEY).transactions


def filled_store(platform: Platform, database: int, past: pl.DataFrame) -> OnlineStore:
    url = f"{platform.redis.rpartition('/')[0]}/{database}"
    client = connect(platform.settings.model_copy(update={"redis_url": url, "redis_timeout_ms": 5_000}))
    client.flushdb()
    store = OnlineStore(client)
    store.rebuild(past, pl.DataFrame(schema=LABELS))
    return store


def test_one_transaction_has_one_score(
    platform: Platform, tmp_path: Path, decider: Decider, clean: pl.DataFrame
) -> None:
    past = clean.head(PAST)
    by_api = api(decider, filled_store(platform, 7, past), Spool(tmp_path / "spool", 2**30))
    by_stream = stream(decider, filled_store(platform, 8, past))
    by_batch = batch(decider, Lake(str(tmp_path / "lake")), clean)
    assert len(set(by_batch.values())) > 5, "the scores must differ from each other to prove anything"
    assert by_api == by_stream == {name: by_batch[name] for name in by_api}
    assert len(by_api) == LIVE


def api(decider: Decider, store: OnlineStore, spool: Spool) -> dict[str, float]:
    topic = FakeRawTopic(spool)
    dependencies = Dependencies(store, topic, spool)  # type: ignore[arg-type]
    dependencies.probe()
    predictor = Predictor(decider, store, spool, dependencies)
    answers = asyncio.run(predictor.predict(VALUES[PAST:], CALL))
    assert all(isinstance(answer, Prediction) and not answer.degraded for answer in answers)
    return {answer.transaction_id: answer.fraud_probability for answer in answers}  # type: ignore[union-attr]


def stream(decider: Decider, store: OnlineStore) -> dict[str, float]:
    messages = [raw(text, offset=offset) for offset, text in enumerate(VALUES[PAST:])]
    outputs = Scoring(store, decider, lambda: "topic", alerts=Alerts(store.client), pan_key=PAN_KEY)(messages)
    predictions = [decode_prediction(output.value) for output in outputs if output.topic == PREDICTIONS.name]
    return {prediction.transaction_id: prediction.fraud_probability for prediction in predictions}


def batch(decider: Decider, lake: Lake, clean: pl.DataFrame) -> dict[str, float]:
    features = build_features(clean).select(CATALOG.names)
    applied = {"catalog_version": pl.lit(CATALOG.version), "apply_seq": pl.int_range(pl.len())}
    enriched = pl.concat([clean.with_columns(**applied), features], how="horizontal")
    lake.append("enriched", enriched.select(TABLES["enriched"].names()))
    days = enriched["event_date"]
    decided = decide_history(lake, decider, days.min(), days.max(), decided_at_ms=NOW_MS)  # type: ignore[arg-type]
    return dict(decided.select("transaction_id", "fraud_probability").iter_rows())
