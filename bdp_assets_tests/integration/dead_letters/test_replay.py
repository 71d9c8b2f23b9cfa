"""Dead letters sent again: through their own door, once, whatever dies, and harmless if once more."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bdp_assets.clients.kafka import Publisher, topic_ids
from bdp_assets.clients.postgres import lock, session
from bdp_assets.contracts.codec import decode_prediction, encode
from bdp_assets.contracts.headers import TRACEPARENT
from bdp_assets.contracts.records import Label
from bdp_assets.contracts.topics import DLQ, LABELS, PREDICTIONS, RAW
from bdp_assets.operations.dead_letters import sending
from bdp_assets.operations.dead_letters.fixes import Fixes
from bdp_assets.operations.dead_letters.index import bring_up_to_date
from bdp_assets.operations.dead_letters.query import Filter
from bdp_assets.operations.dead_letters.replay import Choice, Report, _chosen, _portions
from bdp_assets.operations.dead_letters.sending import ReplayFailed, sender
from bdp_assets.operations.ledger import read_ledger
from bdp_assets.streaming import groups
from bdp_assets_tests.fakes.messages import NOW_MS, body
from bdp_assets_tests.integration.dead_letters.commands import (
    bdp,
    listed,
    replay,
    replay_of,
    replays,
    statuses,
)
from bdp_assets_tests.integration.stream import Stream

pytestmark = pytest.mark.services

CARD = "4111111111111111"
TRACE = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def send_ahead_of_time(stream: Stream, names: Sequence[str]) -> None:
    """Transactions that are refused as `timestamp_future`, and would not be now."""
    now_ms = time.time_ns() // 1_000_000
    timestamp = datetime.fromtimestamp(now_ms // 1000, UTC).isoformat().replace("+00:00", "Z")
    publisher = Publisher(stream.settings)
    for name in names:
        value = body(name, f"c-{name}", timestamp=timestamp)
        headers = [(TRACEPARENT, TRACE)]
        publisher.send(
            RAW.name, key=f"c-{name}", value=value, headers=headers, timestamp_ms=now_ms - 3_600_000
        )
    publisher.flush()


def drain(stream: Stream) -> None:
    """Run a worker until all of the raw topic has an outcome; markers of replays are offsets, too."""
    with stream.scored():
        stream.settle()
    assert read_ledger(stream.settings).balanced


def predicted(stream: Stream) -> list[str]:
    records = stream.records(PREDICTIONS.name)
    return sorted(decode_prediction(record.value or b"").transaction_id for record in records)


def test_the_original_bytes_go_through_the_same_door_and_twice_is_harmless(stream: Stream) -> None:
    send_ahead_of_time(stream, ["a", "b", "c"])
    drain(stream)
    original = {m.key: m for m in stream.records(RAW.name)}
    assert predicted(stream) == []

    told = replay(stream, "--error", "timestamp_future")

    assert len(told["sent"]) == 3
    again = [m for m in stream.records(RAW.name) if replay_of(m)]
    assert {m.key for m in again} == original.keys(), "the key is the customer's, so is the partition"
    for message in again:
        first = original[message.key]
        assert (message.value, message.partition) == (first.value, first.partition)
        assert message.header(TRACEPARENT) == TRACE
    drain(stream)
    assert predicted(stream) == ["a", "b", "c"]
    assert {m.header(TRACEPARENT) for m in stream.records(PREDICTIONS.name)} == {TRACE}
    assert set(statuses(stream).values()) == {"replayed"}
    (row, *_) = listed(stream)
    assert row["replay_id"] in told["replay_ids"]

    assert bdp(stream, "replay", "--all").stdout == "No letter matches.\n"
    refused = replay(stream, row["place"])
    assert not refused["sent"]
    assert "--again" in refused["kept"][0]["says"]
    assert sum(replays(stream).values()) == 3

    assert len(replay(stream, "--error", "timestamp_future", "--again")["sent"]) == 3
    drain(stream)
    assert predicted(stream) == ["a", "b", "c"], "the platform takes it for the duplicate that it is"
    duplicates = listed(stream, "--error", "duplicate")
    assert {d["replay_of"].partition(":")[2] for d in duplicates} == set(replays(stream))
    assert "Nothing to do" in replay(stream, duplicates[0]["place"])["kept"][0]["says"]


DIES = {
    "before the plan": "Sender._plan = die",
    "after the plan": "Sender._publish = die",
    "in the transaction": """
def commit(receipts, publisher, receipt):
    publisher._producer.flush(10)
    die()
Receipts.commit = commit""",
    "between producing and marking": "Sender._settle = die",
}
PROGRAM = """
import os, signal
from bdp_assets.cli.main import app
from bdp_assets.clients.kafka import Receipts
from bdp_assets.operations.dead_letters.sending import Sender

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

{patch}
app(["dlq", "replay", "--all"])
"""


@pytest.mark.parametrize("moment", DIES)
def test_killed_at_any_moment_the_next_replay_loses_and_doubles_nothing(stream: Stream, moment: str) -> None:
    send_ahead_of_time(stream, ["a", "b", "c"])
    stream.send([("c-x", b"{")])
    drain(stream)

    program = PROGRAM.format(patch=DIES[moment])
    killed = subprocess.run([sys.executable, "-c", program], env=stream._environment, check=False)
    assert killed.returncode == -signal.SIGKILL
    interrupted = {"before the plan": "open"}.get(moment, "sending")
    assert sorted(statuses(stream).values()) == sorted([interrupted] * 3 + ["open"])

    told = replay(stream, "--all")

    sent_before = moment == "between producing and marking"
    assert len(told["sent"]) == (0 if sent_before else 3)
    assert sorted(statuses(stream).values()) == ["open", "replayed", "replayed", "replayed"]
    assert list(replays(stream).values()) == [1, 1, 1]
    drain(stream)
    assert predicted(stream) == ["a", "b", "c"]
    assert len(stream.records(DLQ.name)) == 4, "no duplicate was made"


def test_one_replay_at_a_time(stream: Stream) -> None:
    send_ahead_of_time(stream, ["a"])
    drain(stream)
    with session(stream.settings) as connection:
        assert lock(connection, sending.NAME)
        second = bdp(stream, "replay", "--all")
    assert second.exit_code == 2
    assert "Another `bdp dlq replay`" in second.stderr
    assert not replays(stream)
    assert len(replay(stream, "--all")["sent"]) == 1, "the lock goes with its owner"


def test_a_replay_that_lost_its_lock_and_wakes_up_late_sends_nothing(stream: Stream) -> None:
    send_ahead_of_time(stream, ["a", "b"])
    drain(stream)
    bring_up_to_date(stream.settings)
    topic_id = topic_ids(stream.settings, [DLQ.name])[DLQ.name]
    choice = Choice(matching=Filter(error="timestamp_future"))
    report = Report()

    with session(stream.settings) as first:
        rows = _chosen(first, topic_id, choice, report)
        (portion,) = _portions(stream.settings, rows, choice, Fixes(), report)
        with (
            pytest.raises(ReplayFailed, match="Run it again"),
            sender(stream.settings, first, topic_id) as late,
        ):
            late._plan("late", portion)
            # As if PostgreSQL had lost the connection while the process stood still.
            first.execute("SELECT pg_advisory_unlock_all()")
            first.commit()
            assert len(replay(stream, "--all")["sent"]) == 2, "a plan of which nothing was sent is void"

            late._publish("late", portion)

    assert list(replays(stream).values()) == [1, 1]
    assert set(statuses(stream).values()) == {"replayed"}
    drain(stream)
    assert predicted(stream) == ["a", "b"]


def test_what_its_contract_would_refuse_again_is_told_and_not_sent(stream: Stream) -> None:
    stream.send(
        [("c-1", b"{"), ("c-1", body(device_id=CARD)), ("c-1", body("t")), ("c-1", body("t", amount=9))]
    )
    drain(stream)

    told = replay(stream, "--all")

    assert not told["sent"]
    assert {kept["error"] for kept in told["kept"]} == {"not_json", "pan_in_field", "conflict"}
    assert not replays(stream)
    shown = bdp(stream, "replay", "--all").stdout
    assert "not sent: 3" in shown
    assert CARD not in shown
    assert "no dead letter" in replay(stream, "0:9999")["kept"][0]["says"]


FIXES = """
fixes:
  - when: {error: wrong_type, field: amount}
    number: [amount]
  - when: {error: unknown_field}
    rename: {cur: currency}
    drop: [colour]
  - when: {error: pan_in_field}
    set: {device_id: tok-1}
  - when: {error: missing_field}
    set: {colour: red}
  - when: {place: "PLACE"}
    replace: {transaction_id: whole, customer_id: c-9, amount: 3.10, timestamp: "2026-01-01T00:00:00Z"}
"""


def test_fixed_letters_are_sent_and_those_that_still_do_not_pass_are_told(
    stream: Stream, tmp_path: Path
) -> None:
    stream.send(
        [
            ("c-1", body("number", amount="12.50")),
            ("c-2", body("renamed", "c-2", cur="EUR", colour="red")),
            ("c-3", body("masked", "c-3", device_id=CARD)),
            ("c-4", body("hopeless", "c-4", timestamp=None)),
            ("c-5", b"\xff"),
        ]
    )
    drain(stream)
    (broken,) = listed(stream, "--error", "not_utf8")
    file = tmp_path / "fixes.yaml"
    file.write_text(FIXES.replace("PLACE", broken["place"]))

    rehearsed = replay(stream, "--all", "--fix", str(file), "--dry-run")
    assert not replays(stream)
    assert set(statuses(stream).values()) == {"open"}
    told = replay(stream, "--all", "--fix", str(file))

    assert (told["sent"], told["kept"]) == (rehearsed["sent"], rehearsed["kept"])
    (hopeless,) = told["kept"]
    assert "timestamp is missing" in hopeless["says"]
    drain(stream)
    assert predicted(stream) == ["masked", "number", "renamed", "whole"]
    assert sorted(statuses(stream).values()) == ["fixed"] * 4 + ["open"]
    whole = next(m for m in stream.records(RAW.name) if replay_of(m) == broken["place"])
    assert whole.key == b"c-9", "keyed by the customer of the new body"
    assert all(CARD.encode() not in (m.value or b"") for m in stream.records(RAW.name) if replay_of(m))


def test_a_fix_file_that_is_wrong_says_where(stream: Stream, tmp_path: Path) -> None:
    file = tmp_path / "fixes.yaml"
    file.write_text("fixes: [{when: {eror: x}, drop: [y]}]")
    done = bdp(stream, "replay", "--all", "--fix", str(file))
    assert done.exit_code == 2
    assert "eror" in done.stderr


def test_a_label_goes_to_the_labels_topic_and_not_a_second_time(stream: Stream) -> None:
    label = Label(transaction_id="t-1", customer_id="c-1", is_fraud=True, known_at_ms=NOW_MS)
    with stream.worker(kind="labels"):
        stream.send([("c-1", encode(label))], LABELS)
        stream.settle(groups.LABELS, LABELS)
    stream.send([("c-1", body("t-1", "c-1"))])
    drain(stream)

    assert len(replay(stream, "--source-topic", LABELS.name)["sent"]) == 1

    with stream.worker(kind="labels"):
        stream.settle(groups.LABELS, LABELS)
    assert list(replays(stream, LABELS).values()) == [1]
    assert len(stream.records(DLQ.name)) == 1, "this time its transaction is known"
    assert "Labels" in replay(stream, "--source-topic", LABELS.name, "--again")["kept"][0]["says"]
