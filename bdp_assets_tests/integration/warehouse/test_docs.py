"""docs/warehouse.md: its tables are the real ones, its questions are answered rightly."""

from __future__ import annotations

import os
import re
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from bdp_assets.settings import Settings
from bdp_assets_tests.integration.warehouse import world
from bdp_assets_tests.integration.warehouse.conftest import query
from bdp_assets_tests.integration.warehouse.questions import PAGE, Question, questions

pytestmark = pytest.mark.services
ROWS = world.ROWS

COLUMNS = """
    SELECT relname,
           string_agg(format('`%s` %s', attname, format_type(atttypid, atttypmod)), ' · ' ORDER BY attnum)
    FROM pg_class JOIN pg_attribute ON attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped
    WHERE relnamespace = 'warehouse'::regnamespace AND relkind IN ('r', 'p', 'v') AND NOT relispartition
    GROUP BY relname
"""
_TABLE = re.compile(r"(\*\*`(\w+)`\*\*.*?\n)(columns|`[^\n]*)\n\n", re.DOTALL)


def test_the_tables_of_the_page_are_those_of_the_warehouse(loaded: Settings) -> None:
    """Record the columns with BDP_RECORD=1."""
    columns: dict[str, str] = dict(query(loaded, COLUMNS))  # type: ignore[arg-type]
    page = PAGE.read_text()
    named = [name for _, name, _ in _TABLE.findall(page)]
    assert sorted(named) == sorted(columns)
    real = _TABLE.sub(lambda found: f"{found[1]}{columns[found[2]]}\n\n", page)
    if os.environ.get("BDP_RECORD"):
        PAGE.write_text(real)
    assert PAGE.read_text() == real


def between(first: str, days: int) -> list[world.Row]:
    start = date.fromisoformat(first)
    return [row for row in ROWS if start <= row.at.date() < start + timedelta(days=days)]


def usd(rows: list[world.Row]) -> float:
    return sum(row.amount for row in rows) / 100


def fraud_by_day() -> Iterator[tuple[Any, ...]]:
    for row_day in range(7):
        day = date(2026, 3, 1) + timedelta(days=row_day)
        frauds = [row for row in world.on(day) if row.fraud]
        yield day, len(frauds), sum(row.decision != "decline" for row in frauds), usd(frauds)


def weekends() -> Iterator[tuple[Any, ...]]:
    for weekend in (False, True):
        rows = [row for row in between("2026-03-01", 21) if (row.at.isoweekday() > 5) == weekend]
        frauds = sum(row.fraud for row in rows)
        yield weekend, len(rows), frauds, round(10_000 * frauds / len(rows), 1)


def hours() -> Iterator[tuple[Any, ...]]:
    rows = [row for row in between("2026-03-09", 7) if row.category == "electronics"]
    for hour in sorted({row.at.hour for row in rows}):
        then = [row for row in rows if row.at.hour == hour]
        yield hour, len(then), sum(row.decision == "decline" for row in then)


def customer() -> Iterator[tuple[Any, ...]]:
    for row in [row for row in reversed(ROWS) if row.customer == "c-2"][:10]:
        yield row.id, row.at, row.amount / 100, row.decision, row.fraud if row.called_fraud else None


def transaction() -> Iterator[tuple[Any, ...]]:
    row = ROWS[world.TAKEN_BACK]
    yield row.customer, row.merchant, "decline", "score_at_decline", "3", False, row.at + timedelta(days=12)


def merchants() -> Iterator[tuple[Any, ...]]:
    frauds = [row for row in between("2026-03-02", 7) if row.fraud]  # known a week later
    by = {name: [row for row in frauds if row.merchant == name] for name in {row.merchant for row in frauds}}
    ordered = sorted(by.items(), key=lambda item: -usd(item[1]))
    yield from ((name, len(rows), usd(rows)) for name, rows in ordered)


def declines() -> Iterator[tuple[Any, ...]]:
    for monday in ("2026-03-02", "2026-03-09"):
        declined = [row for row in between(monday, 7) if row.decision == "decline"]
        yield date.fromisoformat(monday), len(declined), sum(row.fraud for row in declined)


def otherwise() -> Iterator[tuple[Any, ...]]:
    pairs = Counter((row.decision, row.challenger) for row in between("2026-03-14", 2))
    yield from sorted((*pair, count) for pair, count in pairs.items())  # type: ignore[type-var]


def at_risk() -> Iterator[tuple[Any, ...]]:
    declined = [row for row in between("2026-03-09", 7) if row.decision == "decline"]
    by = {"high": [row for row in declined if row.amount > 3_000]}
    by["medium"] = [row for row in declined if row.amount <= 3_000]
    found = [(severity, len(rows), usd(rows)) for severity, rows in by.items() if rows]
    yield from sorted(found, key=lambda item: -item[2])


def card_numbers() -> Iterator[tuple[Any, ...]]:
    days = Counter(row.at.date() for row in between("2026-03-01", 31) if row.number % 20 == 0)
    yield from sorted(days.items())


ANSWERS = (
    *(fraud_by_day, weekends, hours, customer, transaction),
    *(merchants, declines, otherwise, at_risk, card_numbers),
)


@pytest.mark.parametrize(("question", "answer"), list(zip(questions(), ANSWERS, strict=True)))
def test_a_question_is_answered_as_counted_by_hand(loaded: Settings, question: Question, answer: Any) -> None:
    expected = list(answer())
    assert expected, "the world has something to say"
    found = [
        tuple(float(value) if isinstance(expected[0][i], float) else value for i, value in enumerate(row))
        for row in query(loaded, question.sql)
    ]
    assert found == expected
