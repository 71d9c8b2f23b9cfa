"""What is not sent again, and why."""

from __future__ import annotations

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.dead_letters import of_source
from bdp_assets.contracts.erasure import CUSTOMER_ERASED, REFUSAL, Tombstones, customer_hash
from bdp_assets.contracts.topics import DLQ
from bdp_assets.ingest.sources.arrivals import Rejected
from bdp_assets.operations.dead_letters.entries import entries_of
from bdp_assets.operations.dead_letters.fixes import Fix, Fixes, When
from bdp_assets.operations.dead_letters.judging import AT_ITS_SOURCE, Kept, Ready, judge
from bdp_assets.operations.ingest import letters
from bdp_assets.streaming.dlq import of_an_erased
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body, raw
from bdp_assets_tests.unit.operations.dead_letters.letters import dead

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


def test_what_was_erased_is_not_sent_again_whatever_a_fix_makes_of_it() -> None:
    stones = Tombstones({customer_hash("c-1", PAN_KEY): NOW_MS}, PAN_KEY)
    mend = Fixes([Fix(set={"amount": 1})])
    theirs = Fixes([Fix(set={"amount": 1, "customer_id": "c-1"})])
    anew = Fixes([Fix(when=When(place="0:0"), replace={"customer_id": "c-2"})])
    refused = raw(body())
    mine, other = (dead(raw(body("t", who, amount=-1))) for who in ("c-1", "c-2"))
    for entry, fixes in (
        (dead(refused, of_an_erased(refused, "validate")), anew),
        (mine, mend),
        (other, theirs),
    ):
        kept = judge(entry, fixes, now_ms=NOW_MS, again=True, tombstones=stones)
        assert kept == Kept(entry.place, CUSTOMER_ERASED, REFUSAL)
    assert isinstance(judge(other, mend, now_ms=NOW_MS, again=False, tombstones=stones), Ready)
    later = dead(raw(body(amount=-1, timestamp="2026-01-01T00:00:01Z")))
    assert isinstance(judge(later, mend, now_ms=NOW_MS, again=False, tombstones=stones), Ready)
