"""Traffic: where it comes from, how it is paced and what the journal says; without Kafka."""

from __future__ import annotations

import json
import time
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.topics import LABELS
from bdp_assets.ingest.source import HistoryMissing
from bdp_assets.operations.traffic import _paced
from bdp_assets.operations.traffic_journal import (
    NO_ANSWER,
    REPLAYED,
    Answer,
    Journal,
    Outgoing,
    lines,
    new_journal,
)
from bdp_assets.operations.traffic_labels import AFTER_S, FRAUDS, Complaints
from bdp_assets.operations.traffic_sources import from_settings
from bdp_assets.settings import Settings
from bdp_assets.simulator.world import World

NOW_MS = 1_772_330_000_000


def _settings(home: Path, **others: object) -> Settings:
    return Settings(_env_file=None, home=home, **others)  # type: ignore[call-arg, arg-type]


def _records(number: int, kind: str = "genuine") -> list[Outgoing]:
    return [Outgoing(f"T{n}", "C1", b"{}", kind) for n in range(number)]


def test_the_world_of_the_history_goes_on(tmp_path: Path) -> None:
    World(seed=3, customers=50, merchants=40).history(date(2026, 3, 1), 2).write(tmp_path / "history")
    source = from_settings(_settings(tmp_path), start_ms=NOW_MS, per_second=100, bad_share=0.5)
    records = [*islice(source, 200)]
    assert {int(record.customer_id[1:]) for record in records} <= set(range(50))
    assert 20 < sum(record.is_bad for record in records) < 180


def test_frauds_are_complained_about_a_little_later(tmp_path: Path) -> None:
    World(seed=3, customers=50, merchants=40).history(date(2026, 3, 1), 2).write(tmp_path / "history")
    source = from_settings(_settings(tmp_path), start_ms=NOW_MS, per_second=100, bad_share=0.1)
    records = [*islice(source, 3_000)]
    topic, now = FakePublisher(), [NOW_MS // 1000]
    complaints = Complaints(topic, clock=lambda: now[0])  # type: ignore[arg-type]
    for record in records:
        complaints.publish()
        complaints.arrived(record)
        now[0] += 1
    frauds = [record for record in records[: -int(AFTER_S)] if record.kind in FRAUDS]
    labels = [decode_label(value, received_ms=NOW_MS + 10**8) for _, value in topic.sent]
    assert len(frauds) > 20
    assert [label.transaction_id for label in labels] == [record.transaction_id for record in frauds]
    assert all(label.ts_ms and label.merchant_id and label.known_at_ms > label.ts_ms for label in labels)


class FakePublisher:
    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes]] = []

    def send(self, topic: str, *, key: str, value: bytes, headers: object) -> None:
        assert topic == LABELS.name
        self.sent.append((key, value))


def test_without_a_history_there_is_no_world_to_go_on(tmp_path: Path) -> None:
    with pytest.raises(HistoryMissing, match="bdp simulate history"):
        from_settings(_settings(tmp_path), start_ms=NOW_MS, per_second=100, bad_share=0)


@pytest.mark.parametrize(("until", "first"), [(date(2024, 1, 15), "T1"), (None, "T0")])
def test_a_file_is_replayed_from_the_day_after_its_history(
    tmp_path: Path, until: date | None, first: str
) -> None:
    times = [datetime(2024, 1, 15, 23, 59, tzinfo=UTC) + timedelta(minutes=n) for n in range(3)]
    frame = pl.DataFrame(
        {"transaction_id": ["T0", "T1", "T2"], "customer_id": ["C1"] * 3, "amount": [1.0] * 3}
    )
    file = tmp_path / "others.parquet"
    frame.with_columns(timestamp=pl.Series(times)).write_parquet(file)
    settings = _settings(tmp_path, history_file=file, history_until=until)
    records = [*from_settings(settings, start_ms=NOW_MS, per_second=1, bad_share=1)]
    assert records[0].transaction_id == first
    assert {record.kind for record in records} == {REPLAYED}
    assert json.loads(records[-1].value)["timestamp"] == "2024-01-16T00:01:00.000Z"
    assert not any(record.is_bad for record in records)
    with new_journal(tmp_path) as file:
        Journal(file).delivered(records[0], 1)
        file.write('{"transaction_id": "T1", "cust')  # killed while it wrote
    rest = [*from_settings(settings, start_ms=NOW_MS, per_second=1, bad_share=1)]
    assert rest == records[1:], "a second play goes on where the first stopped"


def test_no_record_is_sent_before_its_time() -> None:
    began, told = time.monotonic(), list[int]()
    moments = [(record, time.monotonic() - began) for record in _paced(iter(_records(60)), 200, told.append)]
    assert [record for record, _ in moments] == _records(60)
    assert all(moment >= number / 200 for number, (_, moment) in enumerate(moments))
    assert told[-1] == 60


def test_an_empty_source_is_told_too() -> None:
    told: list[int] = []
    assert [*_paced(iter([]), 100, told.append)] == []
    assert told == [0]


def test_each_play_has_a_journal_of_its_own(tmp_path: Path) -> None:
    with new_journal(tmp_path) as one, new_journal(tmp_path) as other:
        assert [Path(f.name).name for f in (one, other)] == ["traffic-1.jsonl", "traffic-2.jsonl"]


def test_the_journal_counts_what_arrived(tmp_path: Path) -> None:
    good, bad, lost = _records(1)[0], _records(2, "duplicate")[1], _records(3)[2]
    with new_journal(tmp_path) as file:
        journal = Journal(file)
        journal.delivered(good, 5)
        journal.delivered(bad, 6)
        journal.answered(good, 7, Answer(200, "approve"))
        journal.answered(lost, 8, NO_ANSWER)
    written = [(line.transaction_id, line.kind, line.door, line.sent_ms) for line in lines(tmp_path)]
    assert written == [
        ("T0", "genuine", "kafka", 5),
        ("T1", "duplicate", "kafka", 6),
        ("T0", "genuine", "api", 7),
    ]
    assert [line.decision for line in lines(tmp_path)] == [None, None, "approve"]
    assert (journal.kinds, journal.bad) == ({"genuine": 2, "duplicate": 1}, 1)
    assert journal.answers == {200: 1, 0: 1}
