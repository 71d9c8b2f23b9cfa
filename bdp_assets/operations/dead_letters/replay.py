"""`bdp dlq replay`: choose letters, judge each by its door's contract, send those that pass."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import NamedTuple

from bdp_assets.clients.kafka import topic_ids
from bdp_assets.clients.lake import Lake
from bdp_assets.clients.postgres import Connection, session
from bdp_assets.contracts.topics import DLQ
from bdp_assets.ingest import erased
from bdp_assets.operations.dead_letters import query
from bdp_assets.operations.dead_letters.entries import Place, entries_at
from bdp_assets.operations.dead_letters.fixes import Fixes
from bdp_assets.operations.dead_letters.index import bring_up_to_date
from bdp_assets.operations.dead_letters.judging import Kept, Ready, judge, sent_before
from bdp_assets.operations.dead_letters.query import Filter, Row, Status
from bdp_assets.operations.dead_letters.sending import sender
from bdp_assets.settings import Settings

PORTION = 200
"""Letters in one transaction: a message is at most 256 KiB."""

UNKNOWN = "There is no dead letter at this place. `bdp dlq list` shows the places."
GONE = "Its bytes are gone from Kafka. The lake's table `quarantined` has them."


@dataclass(frozen=True)
class Choice:
    """Which letters: those at the places or, without places, those that match the filter."""

    places: Sequence[Place] = ()
    matching: Filter = field(default_factory=Filter)
    again: bool = False
    """Also those that were sent before."""


def unsent(matching: Filter, *, again: bool) -> Filter:
    """The filter narrowed to open letters, unless it says which or those that were sent are asked for."""
    return matching if again or matching.status else replace(matching, status=Status.OPEN)


class Sent(NamedTuple):
    """A letter that was sent; `body`: what it was changed to, None where it went as it was."""

    place: Place
    error: str
    source_topic: str
    body: str | None


@dataclass(frozen=True)
class Report:
    """What was sent (would be, in a rehearsal), and what was not and why."""

    sent: list[Sent] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    replay_ids: list[str] = field(default_factory=list)


def replay(settings: Settings, choice: Choice, fixes: Fixes) -> Report:
    """Send what passes; whatever dies meanwhile, each letter goes out once.

    Raises WarehouseUnavailable, LakeUnavailable, KafkaUnavailable, KafkaRefused, ReplayFailed, PanKeyMissing.
    """
    topic_id = _present_topic(settings)
    report, name = Report(), _new_name()
    with session(settings) as connection, sender(settings, connection, topic_id) as out:
        rows = _chosen(connection, topic_id, choice, report)
        for number, portion in enumerate(_portions(settings, rows, choice, fixes, report)):
            replay_id = f"{name}.{number}"
            out.send(replay_id, portion)
            report.replay_ids.append(replay_id)
            report.sent.extend(map(_sent, portion))
    return report


def rehearse(settings: Settings, choice: Choice, fixes: Fixes) -> Report:
    """What `replay` would do now; nothing is sent.

    Raises WarehouseUnavailable, LakeUnavailable, KafkaUnavailable, KafkaRefused, PanKeyMissing.
    """
    topic_id = _present_topic(settings)
    report = Report()
    with session(settings) as connection:
        rows = _chosen(connection, topic_id, choice, report)
    for portion in _portions(settings, rows, choice, fixes, report):
        report.sent.extend(map(_sent, portion))
    return report


def _present_topic(settings: Settings) -> str:
    """Id of the topic whose letters the index has now."""
    bring_up_to_date(settings)
    return topic_ids(settings, [DLQ.name])[DLQ.name]


def _chosen(connection: Connection, topic_id: str, choice: Choice, report: Report) -> list[Row]:
    """The letters to judge; those that nobody knows or that were sent before are in the report."""
    if choice.places:
        rows = query.rows_at(connection, topic_id, choice.places)
        unknown = sorted(set(choice.places) - {row.place for row in rows})
        report.kept.extend(Kept(place, "", UNKNOWN) for place in unknown)
    else:
        rows = query.last_rows(connection, topic_id, choice.matching, None)
    connection.commit()  # reading may take long
    before = {row.place: sent_before(row, again=choice.again) for row in rows}
    report.kept.extend(kept for kept in before.values() if kept is not None)
    return [row for row in rows if before[row.place] is None]


def _portions(
    settings: Settings, rows: Sequence[Row], choice: Choice, fixes: Fixes, report: Report
) -> Iterator[list[Ready]]:
    """What passes, in portions; what does not is in the report."""
    waiting = {row.place: row for row in rows}
    tombstones = erased.of(settings, Lake.of(settings))
    portion: list[Ready] = []
    for entry in entries_at(settings, list(waiting)):
        del waiting[entry.place]
        now_ms = time.time_ns() // 1_000_000
        verdict = judge(entry, fixes, now_ms=now_ms, again=choice.again, tombstones=tombstones)
        if isinstance(verdict, Kept):
            report.kept.append(verdict)
        else:
            portion.append(verdict)
        if len(portion) == PORTION:
            yield portion
            portion = []
    if portion:
        yield portion
    report.kept.extend(Kept(row.place, row.error, GONE) for row in waiting.values())


def _sent(one: Ready) -> Sent:
    letter = one.entry.letter
    body = one.value.decode() if one.fixed else None
    return Sent(one.entry.place, letter.error, letter.source_topic, body)


def _new_name() -> str:
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
