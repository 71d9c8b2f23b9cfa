"""What a person sees of dead letters."""

from __future__ import annotations

from io import StringIO

from rich.console import Console

from bdp_assets.contracts.dead_letters import content
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.operations.dead_letters import NOT_REPLAYABLE, Entry, as_table
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body

CARD = "4111111111111111"


def entry(offset: int, value: bytes, error: str) -> Entry:
    letter = DeadLetter(
        source_topic="transactions-raw-v1",
        source_partition=0,
        source_offset=offset,
        received_ms=NOW_MS,
        error=error,
        field="device_id",
        message="",
        **content(value, PAN_KEY),
    )
    return Entry(0, offset, "validate", letter)


def shown(*entries: Entry) -> str:
    screen = StringIO()
    Console(width=200, file=screen).print(as_table(list(entries)))
    return " ".join(screen.getvalue().split())


def test_equal_card_numbers_can_be_told_and_the_letter_says_that_it_must_be_fixed() -> None:
    first, second = (entry(n, body(f"t-{n}", device_id=CARD), "pan_in_field") for n in range(2))
    (hash_,) = first.letter.pan_hashes
    text = shown(first, second)
    assert text.count(hash_[:12]) == 2
    assert NOT_REPLAYABLE in text
    assert CARD not in text


def test_other_letters_come_without_a_warning() -> None:
    assert NOT_REPLAYABLE not in shown(entry(0, body(device_id="?"), "bad_format"))
