from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping
from datetime import date
from pathlib import Path

import polars as pl
import pytest
from pydantic import SecretStr

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.lake import Lake, LandingGap
from bdp_assets.contracts import topics
from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.headers import SOURCE
from bdp_assets.contracts.pan import mask_pans
from bdp_assets.contracts.records import Adjustment, AdjustmentType, EnrichedTransaction, Label
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.features.catalog import CATALOG
from bdp_assets.ingest import landing
from bdp_assets.ingest.audit import audit
from bdp_assets.ingest.landing import TopicRange, land
from bdp_assets.ingest.tables import SOURCE_COLUMNS, TABLES, rows
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body

CARD, DAY = "4111111111111111", 86_400_000


class Topic:
    """A topic's partitions in memory, read as the client would."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.messages: dict[int, list[Message]] = {}

    def add(self, value: bytes | None, partition: int = 0, source: bytes | None = None) -> None:
        known = self.messages.setdefault(partition, [])
        headers = ((SOURCE, source),) if source is not None else ()
        known.append(Message(self.name, partition, len(known), NOW_MS, b"key", value, headers))

    def range(self, start: int, end: int, partition: int = 0) -> TopicRange:
        return TopicRange(self.name, "topic-id", partition, start, end, 0)

    def stream(
        self, _settings: Settings, ranges: Mapping[tuple[str, int], tuple[int, int]]
    ) -> Iterator[list[Message]]:
        for (_, partition), (start, end) in ranges.items():
            yield self.messages[partition][start:end]


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return Lake(str(tmp_path))


@pytest.fixture
def topic(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Topic:
    topic = Topic(request.param)
    monkeypatch.setattr(landing, "stream_range", topic.stream)
    return topic


def on(topic: topics.Topic) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("topic", [topic.name], indirect=True)


SETTINGS = Settings(pan_hash_key=SecretStr(PAN_KEY.decode()))


@on(topics.RAW)
def test_raw_messages_land_as_they_travelled_under_the_day_they_were_received(
    topic: Topic, lake: Lake
) -> None:
    for value in (body("t-1", timestamp="2024-01-15T10:30:00Z"), b"\xff\xfe", None):
        topic.add(value)
    land(SETTINGS, lake, [topic.range(0, 3)])
    landed = lake.read("raw").sort("offset")
    assert landed["value"].to_list() == [body("t-1", timestamp="2024-01-15T10:30:00Z").decode(), None, None]
    assert landed["value_base64"].to_list() == [None, "//4=", None]
    assert landed["event_date"].to_list() == [date(2026, 1, 1)] * 3
    assert audit("raw", landed).is_empty()


@on(topics.RAW)
def test_card_numbers_do_not_reach_the_lake(topic: Topic, lake: Lake) -> None:
    topic.add(body("t-1", device_id=CARD))
    land(SETTINGS, lake, [topic.range(0, 1)])
    (row,) = lake.read("raw").to_dicts()
    assert CARD not in row["value"]
    assert row["pan_hashes"] == mask_pans(CARD.encode(), PAN_KEY).hashes


@on(topics.VALIDATED)
def test_a_range_lands_once_however_often_it_is_tried(topic: Topic, lake: Lake) -> None:
    for n in range(4):
        topic.add(encode(decode_transaction(body(f"t-{n}"), received_ms=NOW_MS)), partition=n % 2)
    ranges = [topic.range(0, 2, partition) for partition in (0, 1)]
    first, again = (land(SETTINGS, lake, ranges) for _ in range(2))
    assert sorted(lake.read("validated")["transaction_id"]) == ["t-0", "t-1", "t-2", "t-3"]
    assert first.rows_by_day == again.rows_by_day == {date(2026, 1, 1): 4}


@on(topics.VALIDATED)
def test_a_validated_row_says_which_raw_message_it_came_from(topic: Topic, lake: Lake) -> None:
    sources = [b"raw-id:5:41", None, b"raw-id:5", b"raw-id:five:41"]
    for n, source in enumerate(sources):
        topic.add(encode(decode_transaction(body(f"t-{n}"), received_ms=NOW_MS)), source=source)
    topic.add(b"no record", source=b"raw-id:5:42")
    landed = land(SETTINGS, lake, [topic.range(0, 5)])
    assert landed.failures.is_empty()
    assert landed.rows.columns == list(TABLES["validated"])
    told = lake.read("validated", SOURCE_COLUMNS).rows()
    assert told == [("raw-id", 5, 41), *[(None, None, None)] * 3]


@on(topics.VALIDATED)
def test_what_is_no_record_is_quarantined_once_and_the_rest_lands(topic: Topic, lake: Lake) -> None:
    topic.add(b"no record" + CARD.encode())
    topic.add(encode(decode_transaction(body("t-1"), received_ms=NOW_MS)))
    for _ in range(2):
        land(SETTINGS, lake, [topic.range(0, 2)])
    assert lake.read("validated")["transaction_id"].to_list() == ["t-1"]
    (letter,) = lake.read("quarantined").to_dicts()
    assert (letter["source_topic"], letter["source_offset"], letter["error"]) == (
        topic.name,
        0,
        "not_decodable",
    )
    assert CARD.encode() not in b64decode(letter["value_base64"])
    assert letter["pan_hashes"] == mask_pans(CARD.encode(), PAN_KEY).hashes


@on(topics.VALIDATED)
def test_a_gap_lands_nothing(topic: Topic, lake: Lake) -> None:
    for n in range(3):
        topic.add(encode(decode_transaction(body(f"t-{n}"), received_ms=NOW_MS)))
    land(SETTINGS, lake, [topic.range(0, 1)])
    with pytest.raises(LandingGap):
        land(SETTINGS, lake, [topic.range(2, 3)])
    assert len(lake.read("validated")) == 1


def enriched(transaction_id: str, features: Mapping[str, float], version: str) -> bytes:
    transaction = decode_transaction(body(transaction_id), received_ms=NOW_MS)
    fields = {name: getattr(transaction, name) for name in transaction.__struct_fields__}
    return encode(
        EnrichedTransaction(**fields, catalog_version=version, apply_seq=1, features=dict(features))
    )


@on(topics.ENRICHED)
def test_while_the_catalog_changes_rows_of_both_versions_land(topic: Topic, lake: Lake) -> None:
    topic.add(enriched("t-1", {"retired_feature": 1.0}, "old"))
    topic.add(enriched("t-2", dict.fromkeys(CATALOG.names, 2.0), CATALOG.version))
    assert land(SETTINGS, lake, [topic.range(0, 2)]).failures.is_empty()
    landed = lake.read("enriched").sort("transaction_id")
    assert landed["retired_feature"].to_list() == [1.0, None]
    assert landed[CATALOG.names[0]].to_list() == [None, 2.0]


@on(topics.ENRICHED)
def test_rows_that_break_the_tables_contract_are_not_published(topic: Topic, lake: Lake) -> None:
    for _ in range(2):
        topic.add(enriched("t-1", dict.fromkeys(CATALOG.names, 0.0), CATALOG.version))
    landed = land(SETTINGS, lake, [topic.range(0, 2)])
    assert landed.failures["count"].to_list() == [2]
    assert rows(lake, "enriched").is_empty()


@on(topics.LABELS)
def test_labels_land_under_the_day_they_became_known_and_say_their_door(topic: Topic, lake: Lake) -> None:
    label = Label(transaction_id="t-1", customer_id="c-1", is_fraud=True, known_at_ms=NOW_MS - DAY)
    topic.add(encode(label))
    land(SETTINGS, lake, [topic.range(0, 1)])
    assert lake.read("labels").select("event_date", "door").row(0) == (date(2025, 12, 31), "stream")


@on(topics.LABELS)
def test_a_label_that_would_tell_the_future_is_not_trained_on(topic: Topic, lake: Lake) -> None:
    """What the stream sets aside, the lake does, too: known before it happened, in seconds, or not yet."""
    times = {"known_at_ms": NOW_MS, "ts_ms": NOW_MS - DAY, "merchant_id": "m-1"}
    ids = {"transaction_id": "t-1", "customer_id": "c-1", "is_fraud": True}
    wrong = [
        {"known_at_ms": NOW_MS - 2 * DAY},
        {"known_at_ms": NOW_MS // 1000},
        {"known_at_ms": NOW_MS + DAY},
    ]
    for changes in ({}, *wrong):
        topic.add(encode(Label(**ids | times | changes)))  # type: ignore[arg-type]
    landed = land(SETTINGS, lake, [topic.range(0, 4)])
    assert (len(landed.rows), len(landed.rejects)) == (1, 3)
    assert lake.read("labels")["known_at_ms"].to_list() == [NOW_MS]
    assert set(lake.read("quarantined")["field"]) == {"known_at_ms"}


@on(topics.ADJUSTMENTS)
def test_adjustments_land_by_their_day_and_what_breaks_their_contract_is_quarantined(
    topic: Topic, lake: Lake
) -> None:
    refund = Adjustment(
        adjustment_id="r-1",
        type=AdjustmentType.REFUND,
        customer_id="c-1",
        original_transaction_id="t-1",
        ts_ms=NOW_MS,
        amount_minor=5,
    )
    values = [encode(refund), encode(refund).replace(b"refund", b"gift"), b"{", None]
    for value in [*values, encode(refund).replace(b"t-1", CARD.encode())]:
        topic.add(value)
    for _ in range(2):  # done again, it changes nothing
        land(SETTINGS, lake, [topic.range(0, 5)])
    landed = lake.read("adjustments")
    assert landed.select("type", "amount_minor", "event_date").rows() == [("refund", 5, date(2026, 1, 1))]
    refused = lake.read("quarantined").sort("source_offset")
    assert refused["field"].to_list() == ["type", None, None, None]
    assert set(refused["error"]) == {landing.NOT_DECODABLE}
    assert refused["masked"].to_list() == [False, False, False, True]


@on(topics.PREDICTIONS)
def test_a_range_of_transaction_markers_only_moves_the_offset(topic: Topic, lake: Lake) -> None:
    topic.messages[0] = []
    landed = land(SETTINGS, lake, [topic.range(0, 2)])
    assert landed.rows.is_empty()
    assert lake.landed("predictions", "predictions:topic-id:0") == 2
    assert isinstance(lake.read("predictions"), pl.DataFrame)
