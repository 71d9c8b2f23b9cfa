"""What is not sent again, and why."""

from __future__ import annotations

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.dead_letters import of_source
from bdp_assets.contracts.topics import DLQ
from bdp_assets.ingest.sources.arrivals import Rejected
from bdp_assets.operations.dead_letters.entries import entries_of
from bdp_assets.operations.dead_letters.fixes import Fixes
from bdp_assets.operations.dead_letters.judging import AT_ITS_SOURCE, Kept, judge
from bdp_assets.operations.ingest import letters
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY

CARD = "4111111111111111"


def test_a_row_of_a_source_is_mended_there_and_its_card_number_is_masked() -> None:
    row = Rejected(17, f"R1;{CARD};-5".encode(), "out_of_range", "amount", "amount must be 0 or more.")
    letter = letters.letter("shop", "may.csv", row, now_ms=NOW_MS, pan_key=PAN_KEY)
    sent = Message(DLQ.name, 0, 3, NOW_MS, of_source("shop").encode(), encode(letter), letters.headers())
    (entry,) = entries_of([sent])
    assert CARD.encode() not in entry.original
    assert (entry.letter.source_offset, entry.letter.masked, entry.step) == (17, True, "ingest")
    assert entry.letter.message == "may.csv, row 17: amount must be 0 or more."
    assert len(entry.trace_id) == 32
    assert judge(entry, Fixes(), now_ms=NOW_MS, again=True) == Kept(
        entry.place, "out_of_range", AT_ITS_SOURCE
    )
