"""Labels reach the online store live: what a chargeback changes for its merchant, once, in order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients.kafka import topic_ids
from bdp_assets.clients.redis import Redis
from bdp_assets.contracts.codec import decode_dead_letter, decode_enriched, encode
from bdp_assets.contracts.headers import STEP
from bdp_assets.contracts.records import EnrichedTransaction, Label
from bdp_assets.contracts.topics import DLQ, ENRICHED, LABELS
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.times import DAY, HOUR
from bdp_assets.pan_key import pan_key
from bdp_assets.streaming import groups
from bdp_assets.streaming.labelling import Labelling
from bdp_assets_tests.fakes.messages import NOW_MS, body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import Stream
from bdp_assets_tests.unit.features.frames import batch_vectors, bits

pytestmark = pytest.mark.services

START = NOW_MS - 60 * DAY
FRAUDS = "merchant_frauds_7d"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("labels")
    tiny_bundle(home / "models" / "tiny")
    (home / "models" / "champion").symlink_to("tiny")
    return home


@pytest.fixture
def stream(platform: Platform, home: Path) -> Stream:
    return Stream(platform, home)


def test_labels_count_for_later_transactions_as_in_batch(stream: Stream) -> None:
    with stream.worker(), stream.worker(kind="labels"):
        for number in range(12):
            pay(stream, f"t-{number}", START + number * HOUR)
        stream.drain()
        labels = [
            label("t-1", 7 * DAY),
            label("t-2", 7 * DAY + HOUR, ts_ms=None, merchant_id=None),
            label("t-4", 9 * DAY),
            label("t-4", 10 * DAY, is_fraud=False),
            label("t-4", 11 * DAY),
            label("t-5", 8 * DAY),
            label("t-5", 13 * DAY, is_fraud=False),
            label("t-6", 8 * DAY, is_fraud=False),
        ]
        shares = []
        for days in (8, 9, 12, 16, 19):
            told = [one for one in labels if one.known_at_ms <= START + days * DAY]
            send(stream, told)
            labels = [one for one in labels if one not in told]
            for number in range(12):
                pay(stream, f"t-{days}-{number}", START + days * DAY + number)
            stream.drain()
            shares.append(enriched(stream)[-1].features[FRAUDS])

    rows = sorted(enriched(stream), key=lambda row: row.ts_ms)
    assert not labels
    assert len(set(shares)) > 2, "the labels must change something to prove anything"
    served = bits([list(row.features.values()) for row in rows])
    assert served == batch_vectors(rows, sent(stream), CATALOG)
    assert not stream.records(DLQ.name)


def test_a_label_that_comes_again_changes_nothing(stream: Stream) -> None:
    with stream.worker():
        for number in range(6):
            pay(stream, f"t-{number}", START + number * HOUR)
        stream.drain()
    on_off_on = [label("t-1", 7 * DAY), label("t-1", 8 * DAY, is_fraud=False), label("t-1", 9 * DAY)]
    with stream.worker(kind="labels"):
        send(stream, [*on_off_on, label("t-2", 9 * DAY)])
    once = state(stream.store.client)

    topic_id = topic_ids(stream.settings, [LABELS.name])[LABELS.name]
    again = Labelling(stream.store, lambda: topic_id, pan_key=pan_key(stream.settings))
    assert again(stream.records(LABELS.name)) == []

    assert state(stream.store.client) == once


def test_a_label_that_nobody_can_place_is_a_dead_letter(stream: Stream) -> None:
    unknown = label("nobody's", 7 * DAY, ts_ms=None)
    bad = {
        "not_json": b"{",
        "not_object": b"[]",
        "missing_field": b'{"transaction_id": "t-1"}',
        "out_of_range": encode(label("", 7 * DAY)),
        "pan_in_field": encode(label("4111111111111111", 7 * DAY)),
        "timestamp_future": encode(label("t-1", 99_999 * DAY)),
        "unknown_transaction": encode(unknown),
    }
    with stream.worker(kind="labels"):
        stream.send((("c-1", value) for value in (*bad.values(), encode(label("t-9", 7 * DAY)))), LABELS)
        stream.drain(group=groups.LABELS, topic=LABELS)

    records = stream.records(DLQ.name)
    letters = [decode_dead_letter(record.value or b"") for record in records]
    assert {letter.error for letter in letters} == bad.keys()
    assert {record.header(STEP) for record in records} == {b"label"}
    assert {letter.source_topic for letter in letters} == {LABELS.name}


def pay(stream: Stream, transaction_id: str, ts_ms: int) -> None:
    """Six customers at two merchants."""
    number = int(transaction_id.rpartition("-")[2])
    moment = pl.Series([ts_ms]).cast(pl.Datetime("ms", "UTC")).dt.to_string("iso:strict")[0]
    value = body(
        transaction_id,
        customer(transaction_id),
        merchant_id=f"m-{number % 2}",
        amount=number + 1,
        timestamp=moment,
    )
    stream.send([(customer(transaction_id), value)])


def customer(transaction_id: str) -> str:
    return f"c-{int(transaction_id.rpartition('-')[2]) % 6}"


def label(transaction_id: str, known_after: int, *, is_fraud: bool = True, **changes: object) -> Label:
    """Of one of the first transactions; known so many ms after the first."""
    number = int(transaction_id[2:]) if transaction_id[2:].isdigit() else 0
    fields: dict[str, object] = {"ts_ms": START + number * HOUR, "merchant_id": f"m-{number % 2}", **changes}
    return Label(
        transaction_id=transaction_id,
        customer_id=f"c-{number % 6}",
        is_fraud=is_fraud,
        known_at_ms=START + known_after,
        **fields,  # type: ignore[arg-type]
    )


def send(stream: Stream, labels: Sequence[Label]) -> None:
    stream.send(((one.customer_id, encode(one)) for one in labels), LABELS)
    stream.drain(group=groups.LABELS, topic=LABELS)


def sent(stream: Stream) -> list[Label]:
    from bdp_assets.contracts.codec import decode_label

    return [decode_label(record.value or b"") for record in stream.records(LABELS.name)]


def enriched(stream: Stream) -> list[EnrichedTransaction]:
    return [decode_enriched(record.value or b"") for record in stream.records(ENRICHED.name)]


def state(client: Redis) -> dict[bytes, bytes | None]:
    return {key: client.dump(key) for key in sorted(client.scan_iter())}
