from __future__ import annotations

import json
from base64 import b64decode
from datetime import date

import polars as pl
import pytest

from bdp_assets.contracts import columns
from bdp_assets.contracts.frames import QuarantinedFrame, ValidatedFrame, failures
from bdp_assets.contracts.pan import mask_pans
from bdp_assets.ingest import validation
from bdp_assets.ingest.masking import masked
from bdp_assets.ingest.validation import validate
from bdp_assets_tests.fakes.messages import NOW_MS, PAN_KEY, body

CARD = "4111111111111111"


def raw(*values: bytes | None) -> pl.DataFrame:
    """Rows of the table `raw` through the history door; bytes that are not UTF-8 have no text."""
    return pl.DataFrame(
        [
            {"received_ms": NOW_MS, "value": value.decode() if value else None, "door": "history"}
            for value in values
        ],
        schema={name: dtype for name, dtype in columns.RAW.items() if name != columns.EVENT_DATE},
    ).with_columns(columns.event_date("received_ms"))


def test_rows_that_keep_the_contract_come_out_typed_and_through_the_history_door() -> None:
    validated = validate(raw(body("t-1"), body("t-2")), PAN_KEY)
    assert validated.transactions["transaction_id"].to_list() == ["t-1", "t-2"]
    assert validated.transactions["amount_minor"].to_list() == [1250, 1250]
    assert set(validated.transactions["door"]) == {"history"}
    assert failures(ValidatedFrame, validated.transactions).is_empty()
    assert validated.refused.is_empty()


def test_each_raw_row_is_clean_or_quarantined() -> None:
    rows = raw(body("t-1"), b"{", None, body("t-2", amount=-1), body("t-1"), body("t-3", merchant_id=None))
    validated = validate(rows, PAN_KEY)
    assert len(validated.transactions) + len(validated.refused) == len(rows)
    assert validated.transactions["transaction_id"].to_list() == ["t-1", "t-3"]
    assert failures(QuarantinedFrame, validated.refused).is_empty()


def test_a_refused_row_says_why_where_and_what_it_was() -> None:
    (letter,) = validate(raw(body("t-1"), body("t-2", amount=-1)), PAN_KEY).refused.to_dicts()
    assert (letter["source_topic"], letter["source_offset"], letter["field"]) == ("history", 1, "amount")
    assert letter["event_date"] == date(2026, 1, 1)
    assert json.loads(b64decode(letter["value_base64"]))["transaction_id"] == "t-2"


def test_of_repeated_transactions_the_first_stays_and_the_others_say_how_they_differ() -> None:
    rows = raw(body("t-1"), body("t-1"), body("t-1", amount=99), body("t-1", customer_id="c-2"))
    validated = validate(rows, PAN_KEY)
    assert validated.transactions["amount"].to_list() == ["12.5", "12.5"]
    assert validated.transactions["customer_id"].to_list() == ["c-1", "c-2"]
    assert sorted(validated.refused["error"]) == ["conflict", "duplicate"]
    assert set(validated.refused["source_offset"]) == {1, 2}


def test_a_card_number_is_refused_and_never_kept() -> None:
    (letter,) = validate(raw(body("t-1", device_id=CARD)), PAN_KEY).refused.to_dicts()
    assert letter["masked"]
    assert CARD not in b64decode(letter["value_base64"]).decode()
    assert CARD not in letter["message"]
    assert letter["pan_hashes"] == mask_pans(CARD.encode(), PAN_KEY).hashes


def test_the_hash_of_a_number_that_was_masked_on_its_way_into_the_lake_is_kept() -> None:
    unmasked = raw(body("t-1", device_id=CARD), body("t-2"))
    (at_once,), (later,) = (
        validate(rows, PAN_KEY).refused.to_dicts() for rows in (unmasked, masked(unmasked, PAN_KEY))
    )
    assert {**later, "message": ""} == {**at_once, "message": ""}
    assert (later["error"], later["masked"], len(later["pan_hashes"])) == ("pan_in_field", True, 1)


def test_a_number_is_masked_in_rows_that_are_kept_however_it_is_spelled() -> None:
    hidden = "".join(f"\\u{ord(char):04x}" for char in CARD)
    spellings = (CARD, hidden, f"\\u0041{CARD}")
    rows = raw(*(body("t-1", device_id=CARD).replace(CARD.encode(), text.encode()) for text in spellings))
    at_once, *others = masked(rows, PAN_KEY).to_dicts()
    assert at_once["pan_hashes"]
    assert {tuple(row["pan_hashes"]) for row in others} == {tuple(at_once["pan_hashes"])}


def test_nothing_in_nothing_out() -> None:
    validated = validate(raw(), PAN_KEY)
    assert validated.transactions.schema == columns.VALIDATED
    assert validated.refused.schema == columns.QUARANTINED


def test_chunks_and_processes_change_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = raw(*(body(f"t-{n % 40}", amount=n % 3 - 1) for n in range(100)))
    whole = validate(rows, PAN_KEY)
    monkeypatch.setattr(validation, "CHUNK", 7)
    monkeypatch.setattr(validation, "PARALLEL_FROM", 1)
    parts = validate(rows, PAN_KEY)
    assert parts.transactions.equals(whole.transactions)
    assert parts.refused.equals(whole.refused)
