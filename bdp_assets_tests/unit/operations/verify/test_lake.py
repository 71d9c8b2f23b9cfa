"""Which rows of the lake came by a topic."""

from __future__ import annotations

from base64 import b64encode
from collections import Counter
from datetime import date
from pathlib import Path

import polars as pl

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.codec import encode
from bdp_assets.contracts.dead_letters import of_source
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.contracts.topics import DLQ, LABELS, RAW
from bdp_assets.ingest.landing import NOT_DECODABLE
from bdp_assets.ingest.validation import SOURCE as HISTORY
from bdp_assets.operations.verify import lake as verified
from bdp_assets_tests.fakes.messages import body


def test_letters_of_topics_and_of_sources_are_counted_and_those_of_the_history_are_not(
    tmp_path: Path,
) -> None:
    lake = Lake(str(tmp_path))
    rows = {
        "source_topic": [RAW.name, of_source("shop"), HISTORY, RAW.name],
        "error": ["out_of_range", "out_of_range", "out_of_range", NOT_DECODABLE],
        "event_date": [date(2026, 2, 1)] * 4,
    }
    lake.append("quarantined", pl.DataFrame(rows))
    assert verified._rows(lake, DLQ.name, {"quarantined": lake.version("quarantined")}) == 2


def test_messages_of_an_erased_customer_are_expected_no_more(tmp_path: Path) -> None:
    gone, stays = body("t-1", "gone"), body("t-1", "stays")
    values = {
        RAW.name: [gone, stays],
        DLQ.name: [encode(_letter(gone)), encode(_letter(stays))],
        LABELS.name: [gone],
    }
    counted = verified.Counted(
        verified.Landed(
            {(topic, 0): 9 for topic in values}, Counter(), frozenset(), lambda one, _: one == "gone"
        )
    )
    for topic, sent in values.items():
        counted.add([Message(topic, 0, at, 0, b"key", value, ()) for at, value in enumerate(sent)])
    assert counted._messages == {RAW.name: 1, DLQ.name: 1}


def _letter(value: bytes) -> DeadLetter:
    return DeadLetter(
        source_topic=RAW.name,
        source_partition=0,
        source_offset=0,
        received_ms=0,
        error="out_of_range",
        field=None,
        message="text",
        value_base64=b64encode(value).decode(),
    )
