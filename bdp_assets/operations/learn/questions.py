"""Lesson 8: three views in the warehouse that answer three questions, compared with our own answers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from bdp_assets.clients.postgres import Connection, session
from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.settings import Settings

SCHEMA = "lesson"


class Question(NamedTuple):
    """`answer`: a SELECT whose rows the learner's view has to have, in any order."""

    view: str
    step: int
    answer: str


QUESTIONS = (
    Question(
        "decisions_by_kind",
        1,
        "SELECT decision, count(*) FROM warehouse.decisions GROUP BY decision",
    ),
    Question(
        "money_by_country",
        2,
        "SELECT country, sum(amount_base_minor) / 100 FROM warehouse.transactions GROUP BY country",
    ),
    Question(
        "fraud_by_merchant",
        3,
        "SELECT t.merchant_id, count(*) FROM warehouse.transactions t "
        "JOIN warehouse.label_states l USING (customer_id, transaction_id) "
        "WHERE l.is_fraud GROUP BY t.merchant_id HAVING count(*) >= 3",
    ),
)


def look(settings: Settings) -> Iterator[Missing]:
    """Raises WarehouseUnavailable."""
    with session(settings) as connection:
        for question in QUESTIONS:
            yield from _one(connection, question)


def _one(connection: Connection, question: Question) -> Iterator[Missing]:
    view = f"{SCHEMA}.{question.view}"
    there = connection.execute("SELECT to_regclass(%s)", [view]).fetchone()
    if there is None or there[0] is None:
        yield Missing(f"There is no view {view}.", question.step)
    elif different := _different(connection, view, question.answer):
        yield Missing(f"{view} has {different} rows that differ from the answer.", question.step)


def _different(connection: Connection, view: str, answer: str) -> int:
    """Rows of one side alone, as text; both sides in one statement, since rows land all the time."""
    theirs = f"SELECT v::text FROM {view} AS v"  # noqa: S608 - both are ours, see QUESTIONS
    ours = f"SELECT a::text FROM ({answer}) AS a"  # noqa: S608
    statement = f"({theirs} EXCEPT ALL {ours}) UNION ALL ({ours} EXCEPT ALL {theirs})"
    return len(connection.execute(statement).fetchall())
