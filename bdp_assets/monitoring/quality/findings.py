"""What a check found of a table on a day, and what the table is worth by that."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import groupby
from typing import Literal

import polars as pl


class Check(StrEnum):
    """The kinds of defects, each looked for by one check."""

    SCHEMA = "schema"
    NULLS = "nulls"
    RANGES = "ranges"
    UNIQUENESS = "uniqueness"
    REFERENCES = "references"
    VOLUME = "volume"
    FRESHNESS = "freshness"
    DUPLICATES = "duplicates"
    LATE_SHARE = "late_share"


OF_HOURS = frozenset({Check.VOLUME, Check.FRESHNESS, Check.DUPLICATES, Check.LATE_SHARE})
"""Checks of what is usual. All others are of what a row has to be."""

MEANING = {
    Check.SCHEMA: "Columns are there, none too many, of the contract's types (Pandera).",
    Check.NULLS: "No value is missing that the contract wants (Pandera).",
    Check.RANGES: "Values, lengths and event dates are those that the contract allows (Pandera).",
    Check.UNIQUENESS: "No key twice in a day.",
    Check.REFERENCES: "What a row refers to is in the lake.",
    Check.VOLUME: "Rows of each hour, as usual for that hour of the week.",
    Check.FRESHNESS: "Age of the newest row at the end of each hour, as usual for that hour of the week.",
    Check.DUPLICATES: "Share of repeated transactions among what came in an hour, as usual or less.",
    Check.LATE_SHARE: "Share of what came in an hour after its windows were closed, as usual or less.",
}


@dataclass(frozen=True)
class Finding:
    """`failed` of `checked` rows or hours; `detail` says where to look, and holds no value of a row."""

    table: str
    day: date
    check: Check
    unit: Literal["rows", "hours"]
    checked: int
    failed: int
    detail: str = ""

    @property
    def passed(self) -> bool | None:
        """None: there was nothing to judge."""
        return None if self.checked == 0 else self.failed == 0


@dataclass(frozen=True)
class Score:
    """From 0 (all of something is wrong) to 100 (nothing is); None: there was nothing to judge."""

    table: str
    day: date
    score: float | None
    worst: Check | None
    """The check that made it so; None: nothing failed."""


def scores(findings: Iterable[Finding]) -> list[Score]:
    """One a table and day, in their order: the sound share, in percent, of the check that is worst off."""
    ordered = sorted(findings, key=_table_and_day)
    return [_score(*key, list(group)) for key, group in groupby(ordered, key=_table_and_day)]


def _table_and_day(finding: Finding) -> tuple[str, date]:
    return finding.table, finding.day


def _score(table: str, day: date, findings: Sequence[Finding]) -> Score:
    sound = {f.check: 1 - f.failed / f.checked for f in findings if f.checked}
    if not sound:
        return Score(table, day, None, None)
    worst = min(sound, key=sound.__getitem__)
    return Score(table, day, 100 * sound[worst], worst if sound[worst] < 1 else None)


def as_frame(findings: Iterable[Finding]) -> pl.DataFrame:
    """Rows of `warehouse.quality_checks`, but for when they were judged."""
    schema = {
        "table_name": pl.String,
        "day": pl.Date,
        "check_name": pl.String,
        "unit": pl.String,
        "checked": pl.Int64,
        "failed": pl.Int64,
        "passed": pl.Boolean,
        "detail": pl.String,
    }
    rows = [(f.table, f.day, str(f.check), f.unit, f.checked, f.failed, f.passed, f.detail) for f in findings]
    return pl.DataFrame(rows, schema, orient="row")


def score_frame(made: Iterable[Score]) -> pl.DataFrame:
    """Rows of `warehouse.quality_scores`, but for when they were judged."""
    schema = {"table_name": pl.String, "day": pl.Date, "score": pl.Float64, "worst_check": pl.String}
    rows = [(s.table, s.day, s.score, s.worst and str(s.worst)) for s in made]
    return pl.DataFrame(rows, schema, orient="row")
