"""What the workers find: a model that was trained on the simulator's history, a store filled with it, and
messages that go on from there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from bdp_assets.clients.redis import connect
from bdp_assets.features.batch import build_features
from bdp_assets.features.online import OnlineStore
from bdp_assets.ingest.history import raw_rows, replay
from bdp_assets.ingest.source import HistorySource
from bdp_assets.ingest.validation import validate
from bdp_assets.operations.traffic_journal import REPLAYED, Outgoing
from bdp_assets.pan_key import pan_key
from bdp_assets.scoring.local_bundles import CHAMPION
from bdp_assets.settings import Settings
from bdp_assets.simulator.world import EPOCH, World, midnight
from bdp_assets.training.pipeline import Source, train
from bdp_assets.training.split import DAY_MS, Split, TrainingData
from benchmarks.alternation import Say
from benchmarks.stream.effort import Effort

_VERSION = "1"
_A_DAY = 1.8
"""A day's transactions of a customer in the simulator: less than the 1.95 seen, so that the days suffice."""


@dataclass(frozen=True)
class Prepared:
    """`records`: by event time, at least as many as the bench sends. `training`: of the model,
    None where somebody else brought one."""

    records: Iterator[Outgoing]
    events: int
    customers: int
    training: TrainingData | None = None


def prepare(settings: Settings, effort: Effort, say: Say) -> Prepared:
    """Make everything in the settings' home and store. Raises TrainingError.

    The messages are the history's last days: customers spend as often as they did before, so that what the
    store has to read of each does not grow with the speed of the bench.
    """
    world = World(customers=effort.customers, merchants=effort.merchants)
    sent_days = 1 + round(effort.total / (_A_DAY * effort.customers))
    say(f"{effort.history_days} days of history, {sent_days} days to send")
    history = world.history(midnight(time.time_ns() // 1_000_000), effort.history_days + sent_days)
    source = HistorySource(history.write(settings.home / "history"))
    first, last = source.days
    cut = last - timedelta(days=sent_days - 1)
    transactions = validate(raw_rows(source, first, cut - timedelta(days=1)), pan_key(settings)).transactions
    labels = history.labels.filter(pl.col("known_at_ms") < (cut - EPOCH).days * DAY_MS)
    say("training the model")
    training = _train(settings, transactions, labels)
    say("filling the store")
    filled = OnlineStore(connect(settings)).rebuild(transactions, labels)
    records = (Outgoing(*row, REPLAYED) for row in replay(source, cut))
    return Prepared(records, filled.events, filled.customers, training)


def _train(settings: Settings, transactions: pl.DataFrame, labels: pl.DataFrame) -> TrainingData:
    """The platform's own recipe, for the split that the platform would take; what it was trained on."""
    features = build_features(transactions, labels)
    last: int = transactions.select(pl.col("ts_ms").max()).item()
    cut_ms = (last // DAY_MS + 1) * DAY_MS
    split = Split.before(cut_ms, delay_days=settings.label_delay_days)
    source = Source(name=settings.model_name, trained_at_ms=cut_ms)
    data = TrainingData(features, labels, split, cut_ms)
    trained = train(data, source)
    settings.models_dir.mkdir(parents=True, exist_ok=True)
    trained.save(settings.models_dir / _VERSION)
    (settings.models_dir / CHAMPION).symlink_to(_VERSION)
    return data
