"""The index of dead letters: each letter of the topic once, whoever follows it, and what is asked of it."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest

from bdp_assets.clients.postgres import session
from bdp_assets.contracts.headers import SOURCE, STEP, TRACEPARENT
from bdp_assets.contracts.topics import DLQ, LABELS, RAW
from bdp_assets.operations.dead_letters import index, listing
from bdp_assets.operations.dead_letters.index import bring_up_to_date
from bdp_assets.operations.dead_letters.query import Filter
from bdp_assets.streaming import groups
from bdp_assets_tests.fakes.messages import body
from bdp_assets_tests.integration.dead_letters.commands import bdp
from bdp_assets_tests.integration.stream import Stream

pytestmark = pytest.mark.services

CARD = "4111111111111111"
BAD = [b"{", body(amount=-1), body(device_id=CARD), body("ok"), body("ok"), body(amount="1")]


def refuse(stream: Stream, values: list[bytes]) -> None:
    stream.send(("c-1", value) for value in values)
    with stream.scored():
        stream.drain()


def table(stream: Stream) -> list[tuple[object, ...]]:
    with session(stream.settings) as connection:
        return connection.execute(
            "SELECT dlq_partition, dlq_offset, source_partition, source_offset, step, error, field, trace_id "
            "FROM warehouse.dead_letters ORDER BY 1, 2"
        ).fetchall()


def expected(stream: Stream) -> list[tuple[object, ...]]:
    """A naive reading of the topic."""
    rows = []
    for m in stream.records(DLQ.name):
        letter = json.loads(m.value or b"")
        headers = dict(m.headers)
        _, partition, offset = headers[SOURCE].decode().split(":")
        step, trace = headers[STEP].decode(), headers[TRACEPARENT].decode().split("-")[1]
        rows.append(
            (
                m.partition,
                m.offset,
                int(partition),
                int(offset),
                step,
                letter["error"],
                letter["field"],
                trace,
            )
        )
    return rows


def test_every_letter_is_a_row_once_however_often_and_by_how_many_it_is_followed(stream: Stream) -> None:
    refuse(stream, BAD)
    with ThreadPoolExecutor(3) as pool:
        counts = list(pool.map(bring_up_to_date, [stream.settings] * 3))
    assert max(counts) == 5
    assert table(stream) == expected(stream)

    refuse(stream, [b"[]", b"{"])
    assert bring_up_to_date(stream.settings) == 2, "only what is new is read"
    assert bring_up_to_date(stream.settings) == 0
    assert table(stream) == expected(stream)
    assert [row[5] for row in table(stream)][-2:] == ["not_object", "not_json"]


def test_rows_and_offsets_are_there_together_or_not_at_all(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse(stream, BAD)

    def dies(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(index, "_reach", dies)
        with pytest.raises(KeyboardInterrupt):
            bring_up_to_date(stream.settings)
    assert table(stream) == []

    bring_up_to_date(stream.settings)
    assert table(stream) == expected(stream)


def test_what_is_no_dead_letter_holds_up_nothing(stream: Stream) -> None:
    refuse(stream, [b"{"])
    stream.send([("x", b"no dead letter"), ("x", None)], DLQ)
    refuse(stream, [b"[]"])

    bring_up_to_date(stream.settings)

    assert sorted(str(row[5]) for row in table(stream)) == ["not_json", "not_object"]
    assert bring_up_to_date(stream.settings) == 0


def test_the_index_answers_by_error_field_topic_time_and_status(stream: Stream) -> None:
    refuse(stream, BAD)
    with stream.worker(kind="labels"):
        stream.send([("c-1", b"[]")], LABELS)
        stream.drain(group=groups.LABELS, topic=LABELS)

    def found(most: int = 100, **chosen: object) -> list[str]:
        rows, stale = listing.letters(stream.settings, Filter(**chosen), most)  # type: ignore[arg-type]
        assert stale is None
        return [row.error for row in rows]

    now = datetime.now(UTC)
    everything = ["not_json", "out_of_range", "pan_in_field", "duplicate", "wrong_type", "not_object"]
    assert sorted(found()) == sorted(everything)
    assert found(error="duplicate") == ["duplicate"]
    assert found(field="amount") == ["out_of_range", "wrong_type"]
    assert found(source_topic=LABELS.name) == ["not_object"]
    assert found(source_topic=RAW.name, most=2) == ["wrong_type", "duplicate"], "the last, oldest first"
    assert found(since=now - timedelta(hours=1), status="open", error="not_json") == ["not_json"]
    assert found(since=now + timedelta(hours=1)) == found(status="fixed") == []
    groups_, _ = listing.errors(stream.settings, Filter(source_topic=RAW.name))
    assert {(g.error, g.letters) for g in groups_} == {(error, 1) for error in everything[:-1]}


def test_a_topic_that_was_made_anew_begins_a_new_list(stream: Stream) -> None:
    refuse(stream, BAD)
    bring_up_to_date(stream.settings)
    stream._make_topics_anew()
    refuse(stream, [b"[]"])

    rows, _ = listing.letters(stream.settings, Filter(), 100)

    assert [row.error for row in rows] == ["not_object"]
    assert len(table(stream)) == 6, "what the former topic had stays on record"


def test_the_commands_tell_and_say_what_to_do_when_something_is_away(stream: Stream) -> None:
    refuse(stream, [b"{", body(device_id=CARD)])

    assert json.loads(bdp(stream, "list", "--json").stdout)[0]["place"].endswith(":0")
    assert "pan_in_field" in bdp(stream, "list", "--by-error").stdout
    place = json.loads(bdp(stream, "list", "--json", "--error", "not_json").stdout)[0]["place"]
    shown = bdp(stream, "show", place)
    assert "status open" in shown.stdout
    assert shown.stdout.endswith("1 bytes:\n{\n")

    nowhere = "postgresql://nobody:pw-that-stays-secret@127.0.0.1:1/bdp"
    away = bdp(stream, "list", BDP_POSTGRES_URL=nowhere)
    assert away.exit_code == 2
    assert "bdp status" in away.stderr
    shown = bdp(stream, "show", place, BDP_POSTGRES_URL=nowhere)
    assert shown.exit_code == 0, "the letter itself is in Kafka"
    assert "the index does not answer" in shown.stdout
    without_kafka = bdp(stream, "list", BDP_KAFKA_BOOTSTRAP="127.0.0.1:1")
    assert "not_json" in without_kafka.stdout
    assert "what the index knew before" in without_kafka.stderr
    assert "secret" not in away.stderr + shown.stdout
    assert CARD not in bdp(stream, "list", "--json").stdout


def test_a_warehouse_without_the_migration_says_so(stream: Stream) -> None:
    from bdp_assets.operations import migrations

    migrations.downgrade(stream.settings, "0001")
    done = bdp(stream, "list")
    assert done.exit_code == 2
    assert "`bdp migrate`" in done.stderr
    migrations.upgrade(stream.settings)


def test_the_asset_brings_the_index_up_to_date(stream: Stream, monkeypatch: pytest.MonkeyPatch) -> None:
    import bdp_assets.definitions  # noqa: F401 - before its parts: it says which warnings of Dagster are known
    from bdp_assets.defs.serving import decisions

    refuse(stream, BAD)
    monkeypatch.setattr(decisions, "get_settings", lambda: stream.settings)

    result = dg.materialize([decisions.dead_letters])

    (made,) = result.asset_materializations_for_node("serving__dead_letters")
    assert made.metadata["letters read"].value == 5
    assert "out_of_range" in str(made.metadata["open letters"].value)
    assert table(stream) == expected(stream)
