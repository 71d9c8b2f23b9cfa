"""What a landing run shows of refused messages in Dagster's pages."""

from __future__ import annotations

import dagster as dg
import polars as pl
import pytest

from bdp_assets.contracts import topics
from bdp_assets.contracts.frames import FAILURES
from bdp_assets.defs.ingest.landing import _audit, _materializations
from bdp_assets.ingest.landing import DESTINATIONS, Landed, TopicRange
from bdp_assets.ingest.validation import validate
from bdp_assets_tests.fakes.messages import PAN_KEY, body
from bdp_assets_tests.unit.ingest.test_validation import raw

CARD = "4111111111111111"


@pytest.fixture
def refused() -> pl.DataFrame:
    return validate(raw(body(device_id=CARD), body("t-2", amount=-1)), PAN_KEY).refused


def pages(topic: topics.Topic, rows: pl.DataFrame, rejects: pl.DataFrame) -> list[dict[str, str]]:
    """Texts of the check, and of each materialisation."""
    cut = TopicRange(topic.name, "id", 0, 0, 2, 0)
    landed = Landed(DESTINATIONS[topic.name], [cut], rows, rejects, FAILURES.to_frame())
    shown: list[dg.AssetCheckEvaluation | dg.AssetMaterialization] = [
        _audit(landed),
        *_materializations(landed),
    ]
    return [{name: str(value.value) for name, value in one.metadata.items()} for one in shown]


def test_dead_letters_that_landed_are_a_table_of_failure_cases(refused: pl.DataFrame) -> None:
    check, day = pages(topics.DLQ, refused, refused.clear())
    for page in (check, day):
        assert "| out_of_range | amount | 1 |" in page["reasons"]
        assert "411111******1111" in page["failure cases"]
        assert CARD not in str(page)


def test_messages_that_are_no_records_are_shown_though_no_row_landed(refused: pl.DataFrame) -> None:
    (check,) = pages(topics.RAW, pl.DataFrame({"event_date": []}, {"event_date": pl.Date}), refused)
    assert "411111******1111" in check["failure cases"]


def test_nothing_refused_shows_nothing(refused: pl.DataFrame) -> None:
    check, _ = pages(topics.RAW, refused.select("event_date"), refused.clear())
    assert "failure cases" not in check
