"""What a journal promises, and ids in eight bytes."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.operations.ledger_ids import Decisions, Ids
from bdp_assets.operations.traffic_journal import Answer, Journal, Line, Outgoing, lines, new_journal
from bdp_assets.operations.verify.promises import read_promises

IDS = st.lists(
    st.tuples(st.sampled_from("abcd"), st.sampled_from("xyz"), st.sampled_from(["approve", "decline"]))
)


def line(transaction_id: str, **fields: object) -> Line:
    own = {"kind": "genuine", "door": "kafka", "sent_ms": 5, **fields}
    return Line(transaction_id=transaction_id, customer_id="c", **own)  # type: ignore[arg-type]


def test_only_good_records_that_arrived_promise_something() -> None:
    promises = read_promises(
        [
            line("delivered"),
            line("old", sent_ms=4),
            line("bad", kind="duplicate"),
            line("answered", door="api", decision="approve"),
            line("refused", door="api", status=503),
            line("without store", door="api", decision="approve", degraded=True),
        ],
        since_ms=5,
    )

    assert (len(promises.delivered), len(promises.answered)) == (2, 1)
    assert promises.left_out == {
        "older than the topics": 1,
        "bad on purpose": 1,
        "not answered with a decision": 1,
    }


def test_a_journal_is_read_as_it_was_written_up_to_where_it_was_torn(tmp_path: Path) -> None:
    record = Outgoing("t", "c", b"{}", "genuine")
    with new_journal(tmp_path) as file:
        Journal(file).delivered(record, 1)
        Journal(file).answered(record, 2, Answer(200, "decline", degraded=True))
        file.write('{"transaction_id": "t", "custo')

    assert [*lines(tmp_path)] == [
        Line("t", "c", "genuine", "kafka", 1),
        Line("t", "c", "genuine", "api", 2, 200, "decline", degraded=True),
    ]


@given(IDS, IDS)
def test_ids_and_decisions_are_those_of_plain_sets(one: list, other: list) -> None:  # type: ignore[type-arg]
    first, second = decisions(one), decisions(other)
    known = {}
    for customer, transaction, decision in other:
        known.setdefault((customer, transaction), decision)

    assert first.doubled() == len(one) - len({entry[:2] for entry in one})
    assert first.missing_in(second, Ids()) == sum(entry[:2] not in known for entry in one)
    otherwise = [entry for entry in one if known.get(entry[:2], entry[2]) != entry[2]]
    assert first.contradicted_by(second) == len(otherwise)


def decisions(entries: list) -> Decisions:  # type: ignore[type-arg]
    gathered = Decisions()
    for customer, transaction, decision in entries:
        gathered.add(Line(transaction, customer, "genuine", "api", 1), decision)
    return gathered
