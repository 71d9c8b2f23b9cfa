"""A change of a list reaches the API and the stream as they run, on the real store, broker and warehouse."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from typer.testing import CliRunner

from bdp_assets import settings as settings_module
from bdp_assets.cli import lists
from bdp_assets.clients.postgres import connect
from bdp_assets.contracts.codec import decode_alert, decode_prediction, encode
from bdp_assets.contracts.records import Decision, ListKind, ListName, Prediction
from bdp_assets.contracts.topics import ALERTS, PREDICTIONS
from bdp_assets.decisions.list_channel import LISTS
from bdp_assets.operations import migrations
from bdp_assets.operations.decision_records.finding import Wanted
from bdp_assets.operations.decision_records.replay import Outcome, replay_one
from bdp_assets.operations.lists import changes
from bdp_assets.operations.lists.wishes import Place, Why
from bdp_assets.runtime.problems import Problem
from bdp_assets_tests.fakes.messages import body
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.integration.conftest import Platform
from bdp_assets_tests.integration.stream import Stream, until
from bento.calls import Call
from bento.serving import Serving

pytestmark = pytest.mark.services
WHY = Why("chargebacks, see case 17", "ann")
CUSTOMER = Place(ListName.BLOCK, ListKind.CUSTOMER, "c-1")
DEVICE = Place(ListName.ALLOW, ListKind.DEVICE, "d-1")


@pytest.fixture
def stream(platform: Platform, tmp_path: Path) -> Iterator[Stream]:
    """With a champion, and a warehouse that is migrated and empty."""
    tiny_bundle(tmp_path / "models" / "tiny")
    (tmp_path / "models" / "champion").symlink_to("tiny")
    migrations.upgrade(platform.settings)
    stream = Stream(platform, tmp_path)
    stream.settings = stream.settings.model_copy(update={"postgres_url": platform.postgres})
    yield stream
    migrations.downgrade(platform.settings, "base")


@contextmanager
def serving(stream: Stream) -> Iterator[Serving]:
    """The API in this process, save HTTP."""
    serving = Serving.start(stream.settings)
    try:
        yield serving
    finally:
        serving.close()


def ask(serving: Serving, value: bytes) -> Prediction:
    [outcome] = asyncio.run(serving.predictor.predict([value], Call("r", "t")))
    assert isinstance(outcome, Prediction)
    return outcome


def decided(stream: Stream) -> dict[str, Prediction]:
    records = [decode_prediction(message.value or b"") for message in stream.records(PREDICTIONS.name)]
    return {record.transaction_id: record for record in records}


def test_a_change_reaches_those_who_decide_and_what_it_changed_is_replayable(stream: Stream) -> None:
    with serving(stream) as api, stream.worker():
        assert ask(api, body("before", amount=20)).list_hits == []
        block = changes.add(stream.settings, CUSTOMER, WHY, None)
        allow = changes.add(stream.settings, DEVICE, WHY, None)

        until(lambda: len(api._lists.current().published.entries) == 2)
        until(lambda: '"entries": 2' in stream.log())
        by_api = ask(api, body("api", amount=20))
        stream.send([("c-1", body("blocked", amount=20, device_id="d-1"))])
        stream.send([("c-2", body("allowed", "c-2", amount=20, device_id="d-1"))])
        until(lambda: {"before", "api", "blocked", "allowed"} <= decided(stream).keys())

        # The store is emptied: those who know the lists put them back.
        kept = api._lists.current().published
        stream.store.client.delete(LISTS.key)
        until(lambda: LISTS.published_revision(stream.store.client) == kept.revision)

        assert changes.remove(stream.settings, CUSTOMER, Why("cleared", "bob")) == block
        until(lambda: len(api._lists.current().published.entries) == 1)
        assert ask(api, body("after", amount=20)).list_hits == []

    found = decided(stream)
    assert encode(found["api"]) == encode(by_api), "published unchanged"
    for name, decision, hits in (
        ("before", Decision.APPROVE, []),
        ("api", Decision.DECLINE, [block]),
        ("blocked", Decision.DECLINE, [block, allow]),
        ("allowed", Decision.APPROVE, [allow]),
    ):
        record = found[name]
        assert (record.decision, [hit.entry_id for hit in record.list_hits]) == (decision, hits), name
    assert found["api"].decision_without_lists is Decision.APPROVE
    alerts = [decode_alert(message.value or b"") for message in stream.records(ALERTS.name)]
    assert alerts[-1].transactions == 2
    [replayed] = replay_one(stream.settings, Wanted("api", "c-1"))
    assert (replayed.outcome, replayed.why) == (Outcome.EQUAL, "")
    assert "c-1" not in "".join(line for line in stream.log().splitlines() if "bdp.lists" in line)


def test_the_audit_keeps_every_change_and_can_not_be_edited(
    stream: Stream, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(settings_module, "get_settings", lambda: stream.settings)
    who = ("block", "customer", "c-1")
    said = bdp_lists("add", *who, "--reason", WHY.reason, "--by", WHY.by, "--expires", "30d")
    [entry] = changes.entries(stream.settings)
    entry_id = entry.entry_id
    assert said.startswith(f"Entry {entry_id} of the block list is in force until 2")
    assert entry.expires_at is not None
    assert (entry.expires_at - entry.added_at).days in (29, 30)
    with pytest.raises(Problem, match=f"already .entry {entry_id}"):
        changes.add(stream.settings, CUSTOMER, WHY, None)
    bdp_lists("remove", *who, "--reason", "cleared", "--by", "bob")
    with pytest.raises(Problem, match="is not on the block list"):
        changes.remove(stream.settings, CUSTOMER, WHY)

    assert [(one.action, one.entry_id, one.changed_by) for one in changes.audit(stream.settings)] == [
        ("add", entry_id, "ann"),
        ("remove", entry_id, "bob"),
    ]
    assert all(text in bdp_lists("audit") for text in (entry_id, "ann", "bob", "cleared", WHY.reason))
    assert entry_id not in bdp_lists("show")
    assert entry_id in bdp_lists("show", "--all")
    for statement in (
        "UPDATE warehouse.list_changes SET reason = 'other'",
        "DELETE FROM warehouse.list_changes",
        "TRUNCATE warehouse.list_changes",
    ):
        with connect(stream.settings) as connection, pytest.raises(psycopg.errors.RaiseException):
            connection.execute(statement)  # type: ignore[arg-type]


def bdp_lists(*words: str) -> str:
    """What a command says."""
    done = CliRunner().invoke(lists.app, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


def test_a_change_that_nobody_could_be_told_of_is_kept_and_says_what_to_do(stream: Stream) -> None:
    away = stream.settings.model_copy(update={"redis_url": "redis://127.0.0.1:1"})
    with pytest.raises(Problem, match="bdp lists publish"):
        changes.add(away, CUSTOMER, WHY, None)
    assert [entry.is_in_force for entry in changes.entries(stream.settings)] == [True]
    assert len(changes.publish_lists(stream.settings).entries) == 1
