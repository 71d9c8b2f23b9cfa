"""One worker in Quix Streams, exactly once: our own steps, message by message.

Or a pass-through.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from quixstreams import Application, message_context

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.redis import connect
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED
from bdp_assets.decisions.alerts import Alerts
from bdp_assets.decisions.decider import Decider
from bdp_assets.features.online import OnlineStore
from bdp_assets.pan_key import pan_key
from bdp_assets.settings import Settings, get_settings
from bdp_assets.streaming.scoring import Scoring
from benchmarks.quix.groups import CHAIN, PASS_THROUGH

OUTPUTS = (VALIDATED, ENRICHED, PREDICTIONS, ALERTS, DLQ)
COMMIT_EVERY = 2_000
"""Messages of one transaction, as in our workers; or so many seconds."""
COMMIT_S = 0.5


def application(settings: Settings, group: str) -> Application:
    return Application(
        broker_address=settings.kafka,
        consumer_group=group,
        auto_offset_reset="earliest",
        processing_guarantee="exactly-once",
        commit_interval=COMMIT_S,
        commit_every=COMMIT_EVERY,
        auto_create_topics=False,
        loglevel="WARNING",
    )


def chain(settings: Settings, topic_id: str) -> Application:
    app = application(settings, CHAIN)
    decider = Decider.load(settings.models_dir / "champion")
    store = OnlineStore(connect(settings))
    scoring = Scoring(
        store, decider, lambda: topic_id, alerts=Alerts(store.client), pan_key=pan_key(settings)
    )
    rows = app.dataframe(_topic(app, RAW.name)).apply(_scored(scoring), expand=True, metadata=True)
    for topic in OUTPUTS:
        mine = rows.filter(lambda row, name=topic.name: row[0] == name)
        mine.apply(lambda row: row[1]).to_topic(_topic(app, topic.name))
    return app


def pass_through(settings: Settings, output: str) -> Application:
    app = application(settings, PASS_THROUGH)
    app.dataframe(_topic(app, RAW.name)).to_topic(_topic(app, output))
    return app


def _topic(app: Application, name: str) -> Any:
    return app.topic(name, value_serializer="bytes", value_deserializer="bytes", key_serializer="bytes")


def _scored(scoring: Scoring) -> Callable[..., list[tuple[str, bytes]]]:
    def one(value: bytes, key: bytes, timestamp: int, headers: Any) -> list[tuple[str, bytes]]:
        context = message_context()
        place = (context.topic, context.partition, context.offset)
        message = Message(*place, timestamp, key, value, tuple(headers or ()))
        return [(output.topic, output.value) for output in scoring([message])]

    return one


if __name__ == "__main__":
    kind, about = sys.argv[1:]
    {"chain": chain, "pass-through": pass_through}[kind](get_settings(), about).run()
