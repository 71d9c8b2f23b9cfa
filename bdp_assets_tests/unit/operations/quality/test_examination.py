"""Defects planted in real Delta tables: each is found by its check, and by no other."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from itertools import zip_longest
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients.lake import Lake
from bdp_assets.features.catalog import CATALOG
from bdp_assets.monitoring.quality.findings import Check
from bdp_assets.operations.quality.examination import SETTLING, examine
from bdp_assets_tests.fakes.quality_lake import BUSY, DAY, END, QUIET, TABLE_DAYS, sound_lake

Spoil = Callable[[pl.DataFrame], pl.DataFrame]
MINUTE = 60_000
TEN = int(datetime.combine(DAY, time(10), UTC).timestamp() * 1000)
"""Ten o'clock, at the start of a busy hour."""


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Lake:
    return sound_lake(str(tmp_path_factory.mktemp("sound")))


@pytest.fixture
def lake(sound: Lake, tmp_path: Path) -> Lake:
    """A copy to spoil."""
    shutil.copytree(sound.url, tmp_path / "lake")
    return Lake(str(tmp_path / "lake"))


def found(lake: Lake, now: datetime = END + SETTLING) -> dict[tuple[str, Check], int]:
    """(table, check) -> rows or hours that failed on DAY."""
    findings = examine(lake, DAY, DAY, now).findings
    assert len({(f.table, f.check) for f in findings}) == len(findings)
    return {(f.table, f.check): f.failed for f in findings if f.passed is False}


def first(rows: int, **values: pl.Expr) -> Spoil:
    """Other values in the first rows."""
    changed = pl.int_range(pl.len()) < rows
    return lambda day: day.with_columns(
        pl.when(changed).then(value).otherwise(name).cast(day.schema[name]).alias(name)
        for name, value in values.items()
    )


def in_hour(time_ms: str) -> pl.Expr:
    return pl.col(time_ms).is_between(TEN, TEN + 60 * MINUTE, closed="left")


def flooded(day: pl.DataFrame) -> pl.DataFrame:
    """Five times the messages, at other offsets."""
    hour = day.filter(in_hour("received_ms"))
    return pl.concat([day, *(hour.with_columns(pl.col("offset") + 10**6 * n) for n in range(1, 5))])


def out(day: pl.DataFrame) -> pl.DataFrame:
    """But for the last of the hour: what is there is fresh."""
    return day.filter(~in_hour("ts_ms") | (pl.col("ts_ms") >= TEN + 58 * MINUTE))


def stale(day: pl.DataFrame) -> pl.DataFrame:
    """As many, all in the first ten minutes."""
    early = TEN + (pl.col("ts_ms") - TEN) // 6
    return day.with_columns(ts_ms=pl.when(in_hour("ts_ms")).then(early).otherwise("ts_ms"))


def repeated(day: pl.DataFrame) -> pl.DataFrame:
    hour = day.filter(in_hour("received_ms"))
    return pl.concat([day, *[hour] * (BUSY // 2)])


def refused(day: pl.DataFrame) -> pl.DataFrame:
    hour = day.filter(in_hour("received_ms")).with_columns(error=pl.lit("out_of_range"))
    return pl.concat([day, *[hour] * BUSY])


def late(day: pl.DataFrame) -> pl.DataFrame:
    """What came between 10:12 and 10:50 is of an hour earlier."""
    moved = pl.col("ts_ms").is_between(TEN + 12 * MINUTE, TEN + 50 * MINUTE)
    return day.with_columns(ts_ms=pl.when(moved).then(pl.col("ts_ms") - 60 * MINUTE).otherwise("ts_ms"))


@dataclass(frozen=True)
class Defect:
    """What is done to a table's rows of DAY, and how many rows or hours are to be found by which check."""

    spoil: Spoil
    check: Check
    failed: int
    found_in: str | None = None
    """Where that is another table than the one that is spoiled."""


DEFECTS = {
    "raw": (
        Defect(lambda day: pl.concat([day, day.head(1)]), Check.UNIQUENESS, 2),
        Defect(flooded, Check.VOLUME, 1),
    ),
    "validated": (
        Defect(first(3, amount_minor=pl.lit(None)), Check.NULLS, 3),
        Defect(lambda day: pl.concat([day, day.head(1)]), Check.UNIQUENESS, 2),
        Defect(first(3, source_offset=pl.col("source_offset") + 10**9), Check.REFERENCES, 3),
        Defect(late, Check.LATE_SHARE, 1),
    ),
    "quarantined": (
        Defect(repeated, Check.DUPLICATES, 1, found_in="raw"),
        Defect(refused, Check.VOLUME, 1),
    ),
    "enriched": (Defect(first(2, **{CATALOG.names[0]: pl.lit(None)}), Check.NULLS, 2),),
    "predictions": (
        Defect(lambda day: day.with_columns(mystery=pl.lit(1)), Check.SCHEMA, 13 * BUSY + 11 * QUIET),
        Defect(first(3, fraud_probability=pl.lit(1.5)), Check.RANGES, 3),
        Defect(lambda day: pl.concat([day, day.head(2)]), Check.UNIQUENESS, 4),
        Defect(first(2, transaction_id=pl.lit("?-") + pl.col("transaction_id")), Check.REFERENCES, 2),
        Defect(out, Check.VOLUME, 1),
        Defect(stale, Check.FRESHNESS, 1),
    ),
    "labels": (
        Defect(first(2, known_at_ms=pl.col("known_at_ms") + 24 * 60 * MINUTE), Check.RANGES, 2),
        Defect(first(4, transaction_id=pl.lit("nobody knows")), Check.REFERENCES, 4),
    ),
}
ROUNDS = [
    {table: defect for table, defect in zip(DEFECTS, defects, strict=True) if defect}
    for defects in zip_longest(*DEFECTS.values())
]
"""At most one defect a table in each, to spoil fewer lakes."""


def test_a_sound_lake_has_no_finding_and_full_scores(sound: Lake) -> None:
    examination = examine(sound, DAY - timedelta(days=1), DAY, END + SETTLING)
    assert [finding for finding in examination.findings if finding.passed is False] == []
    assert {score.score for score in examination.scores if score.table != "enriched"} == {100.0}
    judged = {finding.check for finding in examination.findings if finding.passed}
    assert judged == set(Check)
    unjudged = [finding for finding in examination.findings if finding.passed is None and finding.detail]
    assert {(finding.table, finding.check) for finding in unjudged} == {
        ("enriched", Check.VOLUME),
        ("enriched", Check.FRESHNESS),
    }


@pytest.mark.parametrize("planted", ROUNDS, ids=["-".join(defects) for defects in ROUNDS])
def test_a_defect_is_found_by_its_check_alone(lake: Lake, planted: Mapping[str, Defect]) -> None:
    for table, defect in planted.items():
        day = lake.read(table, dates=(DAY, DAY))
        lake.replace(table, defect.spoil(day), TABLE_DAYS)
    assert found(lake) == {(d.found_in or table, d.check): d.failed for table, d in planted.items()}


def test_every_kind_of_defect_is_planted() -> None:
    assert {defect.check for defects in DEFECTS.values() for defect in defects} == set(Check)


def test_a_worse_check_makes_the_score_and_is_named(lake: Lake) -> None:
    day = lake.read("predictions", dates=(DAY, DAY))
    half = first(len(day) // 2, fraud_probability=pl.lit(1.5))
    lake.replace("predictions", first(3, decision=pl.lit(None))(half(day)), TABLE_DAYS)
    scores = {score.table: score for score in examine(lake, DAY, DAY, END + SETTLING).scores}
    assert scores["predictions"].score == pytest.approx(50)
    assert scores["predictions"].worst is Check.RANGES
    assert (scores["raw"].score, scores["raw"].worst) == (100, None)


def test_what_may_be_on_its_way_is_not_judged_yet(lake: Lake) -> None:
    """At half past ten nothing after ten o'clock is missed; an hour later everything is."""
    for table, time_ms in (("raw", "received_ms"), ("validated", "ts_ms")):
        day = lake.read(table, dates=(DAY, DAY))
        lake.replace(table, day.filter(pl.col(time_ms) < TEN), TABLE_DAYS)
    half_past = datetime.fromtimestamp(TEN / 1000, UTC) + timedelta(minutes=30)
    assert found(lake, half_past) == {}
    missed = {
        ("raw", Check.VOLUME): 1,
        ("raw", Check.FRESHNESS): 1,
        ("validated", Check.VOLUME): 1,
        ("validated", Check.FRESHNESS): 1,
        ("predictions", Check.REFERENCES): BUSY,
        ("labels", Check.REFERENCES): BUSY,
    }
    at_noon = found(lake, half_past + timedelta(hours=1))
    assert {where: failed for where, failed in at_noon.items() if where[0] != "enriched"} == missed


def test_rows_of_another_catalog_lack_its_features_and_no_others(lake: Lake) -> None:
    name = CATALOG.names[0]
    day = lake.read("enriched", dates=(DAY, DAY))
    older = first(9, catalog_version=pl.lit("older"), **{name: pl.lit(None)})
    lake.replace("enriched", older(day), TABLE_DAYS)
    assert found(lake) == {}
    lake.replace("enriched", first(4, **{name: pl.lit(1.0)})(older(day)), TABLE_DAYS)
    assert found(lake) == {("enriched", Check.NULLS): 5}


def test_a_lake_without_tables_has_nothing_to_judge(tmp_path: Path) -> None:
    assert examine(Lake(str(tmp_path)), DAY, DAY, END).findings == []
