"""What a person sees of dead letters."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

from rich.console import Console, RenderableType

from bdp_assets.operations.dead_letters.entries import NOT_REPLAYABLE, Entry, Place
from bdp_assets.operations.dead_letters.judging import Kept
from bdp_assets.operations.dead_letters.query import ByError, Row
from bdp_assets.operations.dead_letters.replay import Report, Sent
from bdp_assets.operations.dead_letters.tables import (
    errors_table,
    letter_lines,
    letters_table,
    report_json,
    report_parts,
)
from bdp_assets_tests.fakes.messages import NOW_MS, body, raw
from bdp_assets_tests.unit.operations.dead_letters.letters import dead

CARD = "4111111111111111"
NOW = datetime.fromtimestamp(NOW_MS / 1000, UTC)


def row(entry: Entry) -> Row:
    letter = entry.letter
    return Row(
        dlq_topic_id="T",
        dlq_partition=entry.place.partition,
        dlq_offset=entry.place.offset,
        source_topic=letter.source_topic,
        source_partition=letter.source_partition,
        source_offset=letter.source_offset,
        received_at=NOW,
        refused_at=NOW,
        step=entry.step,
        error=letter.error,
        field=letter.field,
        message=letter.message,
        masked=letter.masked,
        pan_hashes=letter.pan_hashes,
        schema_version=letter.schema_version,
        trace_id=entry.trace_id,
        replay_of=entry.replay_of,
        status="open",
        replayed_at=None,
        replay_id=None,
    )


def shown(what: RenderableType) -> str:
    screen = StringIO()
    Console(width=200, file=screen).print(what)
    return " ".join(screen.getvalue().split())


def test_equal_card_numbers_can_be_told_and_the_letter_says_that_it_must_be_fixed() -> None:
    first, second = (dead(raw(body(f"t-{n}", device_id=CARD), n)) for n in range(2))
    (hash_,) = first.letter.pan_hashes
    text = shown(letters_table([row(first), row(second)]))
    assert text.count(hash_[:12]) == 2
    assert NOT_REPLAYABLE in text
    assert CARD not in text


def test_other_letters_come_without_a_warning() -> None:
    text = shown(letters_table([row(dead(raw(body(device_id="?"), 3)))]))
    assert NOT_REPLAYABLE not in text
    assert "0:3 2026-01-01 00:00:00Z validate bad_format device_id transactions-raw-v1[0]@3 open" in text


def test_letters_that_are_alike_are_counted() -> None:
    text = shown(
        errors_table([ByError("not_json", None, "validate", "transactions-raw-v1", "open", 1234, NOW)])
    )
    assert "1,234 not_json validate transactions-raw-v1 open" in text


def test_one_letter_is_told_with_its_bytes_and_the_letter_that_it_is_a_replay_of() -> None:
    before = "a" * 22 + ":0:7"
    entry = dead(raw(b'{"amount": \xff', 3, headers=(("replay-of", before.encode()),)))
    text = "\n".join(letter_lines(entry, "open"))
    assert '{"amount": \\xff' in text
    assert "status open" in text
    assert f"trace {entry.trace_id}" in text
    assert "a replay of the dead letter 0:7" in text


def test_what_a_letter_holds_does_nothing_to_the_terminal() -> None:
    text = "\n".join(letter_lines(dead(raw(b"{\x1b[2J\x07\n\xc2\x9b \xc3\xa9")), "open"))
    assert text.endswith("{\\x1b[2J\\x07\n\\x9b \u00e9")


def test_a_replay_header_with_a_card_number_in_it_goes_no_further() -> None:
    forged = ("a" * 22 + f":0:{CARD}").encode()
    assert dead(raw(b"{", headers=(("replay-of", forged),))).replay_of is None


def test_a_report_counts_what_was_sent_and_says_why_the_rest_was_not() -> None:
    kept = [Kept(Place(0, n), "missing_field", "timestamp is missing.") for n in range(7)]
    sent = [Sent(Place(1, n), "wrong_type", "transactions-raw-v1", "{}") for n in range(2)]
    report = Report(sent, kept, ["R.0", "R.1"])

    text = " ".join(shown(part) for part in report_parts(report, rehearsed=False))

    assert "sent: 2 wrong_type, fixed, to transactions-raw-v1 replay R not sent: 7" in text
    assert "7 missing_field timestamp is missing. 0:0 0:1 0:2 0:3 0:4 ..." in text
    rehearsed = " ".join(shown(part) for part in report_parts(report, rehearsed=True))
    assert "1:0 -> {} 1:1 -> {} would be sent: 2" in rehearsed
    assert "would stay: 7" in rehearsed
    assert len(report_json(report)["kept"]) == 7


def test_a_report_of_nothing_says_so() -> None:
    assert list(report_parts(Report(), rehearsed=False)) == ["No letter matches."]
