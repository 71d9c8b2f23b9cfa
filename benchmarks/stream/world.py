"""What the workers find: a model that was trained on the simulator's history, a store filled with it, and
messages that go on from there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from bdp_assets.clients.redis import connect
from bdp_assets.features.batch import build_features
from bdp_assets.features.online import OnlineStore
from bdp_assets.ingest.history import raw_rows
from bdp_assets.ingest.source import HistorySource
from bdp_assets.ingest.validation import validate
from bdp_assets.pan_key import pan_key
from bdp_assets.scoring.local_bundles import CHAMPION
from bdp_assets.settings import Settings
from bdp_assets.simulator.live import LiveRecord
from bdp_assets.simulator.world import World, midnight
from bdp_assets.training.pipeline import Source, train
from bdp_assets.training.split import DAY_MS, Split, TrainingData
from benchmarks.alternation import Say

_VERSION = "1"


@dataclass(frozen=True)
class Prepared:
    """`records`: endless, by event time."""

    records: Iterator[LiveRecord]
    events: int
    customers: int


def prepare(settings: Settings, days: int, say: Say) -> Prepared:
    """Make everything in the settings' home and store. Raises TrainingError."""
    world = World()
    now_ms = time.time_ns() // 1_000_000
    end = midnight(now_ms)
    say(f"{days} days of history")
    history = world.history(end, days)
    source = HistorySource(history.write(settings.home / "history"))
    transactions = validate(raw_rows(source, *source.days), pan_key(settings)).transactions
    say("training the model")
    _train(settings, transactions, history.labels)
    say("filling the store")
    filled = OnlineStore(connect(settings)).rebuild(transactions, history.labels)
    return Prepared(world.live(now_ms, bad_share=0.0), filled.events, filled.customers)


def _train(settings: Settings, transactions: pl.DataFrame, labels: pl.DataFrame) -> None:
    """The platform's own recipe, for the split that the platform would take."""
    features = build_features(transactions, labels)
    last: int = transactions.select(pl.col("ts_ms").max()).item()
    cut_ms = (last // DAY_MS + 1) * DAY_MS
    split = Split.before(cut_ms, delay_days=settings.label_delay_days)
    source = Source(name=settings.model_name, trained_at_ms=cut_ms)
    trained = train(TrainingData(features, labels, split, cut_ms), source)
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    trained.save(settings.models_dir / _VERSION)
    (settings.models_dir / CHAMPION).symlink_to(_VERSION)
