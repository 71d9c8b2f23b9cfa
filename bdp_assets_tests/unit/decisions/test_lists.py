"""Who is listed, when, and what becomes of a decision then."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.records import (
    Decision,
    ListHit,
    ListKind,
    ListName,
    Severity,
    ValidatedTransaction,
)
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.list_channel import LISTS
from bdp_assets.decisions.lists import ListEntry, Lists, PublishedLists
from bdp_assets.decisions.rules import Action, Entry, Rule, RuleCatalog
from bdp_assets.features.catalog import CATALOG
from bdp_assets_tests.effort import cases
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle, tiny_rows
from bdp_assets_tests.unit.decisions.transactions import transaction

ROWS, _ = tiny_rows(len(CATALOG.names), rows=200, seed=5)
TRANSACTIONS = [
    transaction(number, customer_id=f"c{number % 3}", merchant_id="m1" if number % 2 else None)
    for number in range(len(ROWS))
]
ALWAYS = RuleCatalog(
    (
        Rule.of(
            Entry(
                name="always",
                when="amount_base_minor > 0",
                severity=Severity.CRITICAL,
                action=Action.DECLINE,
                reason="every one",
            )
        ),
    )
)


def entry(list_: ListName, kind: ListKind, id_: str, **fields: object) -> ListEntry:
    return ListEntry(list=list_, kind=kind, id=id_, **{"entry_id": "0" * 12, **fields})  # type: ignore[arg-type]


def listing(*entries: ListEntry) -> Lists:
    return Lists(LISTS.decode(msgspec.json.encode(PublishedLists(1, list(entries)))))


IDS = st.sampled_from(["a", "b", None])
ENTRIES = st.lists(
    st.builds(
        ListEntry,
        entry_id=st.from_regex(r"^[0-9a-f]{12}\Z"),
        list=st.sampled_from(ListName),
        kind=st.sampled_from(ListKind),
        id=st.sampled_from(["a", "b"]),
        expires_at_ms=st.one_of(st.none(), st.integers(0, 5)),
    ),
    max_size=8,
)


@settings(max_examples=cases(300))
@given(ENTRIES, IDS, IDS, IDS, st.integers(0, 5))
def test_what_is_in_force_is_what_a_naive_reader_finds(
    entries: list[ListEntry], customer: str | None, merchant: str | None, device: str | None, at_ms: int
) -> None:
    one = transaction(customer_id=customer or "z", merchant_id=merchant, device_id=device)
    named = {
        ListKind.CUSTOMER: one.customer_id,
        ListKind.MERCHANT: one.merchant_id,
        ListKind.DEVICE: one.device_id,
    }
    expected = [
        ListHit(e.entry_id, e.list, e.kind)
        for e in entries
        if named[e.kind] == e.id and (e.expires_at_ms is None or at_ms < e.expires_at_ms)
    ]
    [found] = listing(*entries).hits([one], [at_ms]) or [[]]
    assert sorted(found, key=repr) == sorted(expected, key=repr)
    blocks = [hit.list is ListName.BLOCK for hit in found]
    assert blocks == sorted(blocks, reverse=True), "blocks come first"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_bundle(tmp_path_factory.mktemp("bundle"))


BLOCK = entry(ListName.BLOCK, ListKind.CUSTOMER, "c1", entry_id="b" * 12)
ALLOW = entry(ListName.ALLOW, ListKind.MERCHANT, "m1", entry_id="a" * 12)


@pytest.mark.parametrize("rules", [RuleCatalog(()), ALWAYS])
def test_a_block_declines_an_allowance_approves_and_the_record_says_what_else_it_had_been(
    bundle: Path, rules: RuleCatalog
) -> None:
    decider = Decider.load(bundle, rules)
    plain = decide(decider, listing())
    listed = decide(decider, listing(BLOCK, ALLOW))
    assert {record.decision for record in plain} == ({Decision.DECLINE} if rules is ALWAYS else set(Decision))
    for transaction_, own, record in zip(TRANSACTIONS, plain, listed, strict=True):
        blocked, allowed = transaction_.customer_id == "c1", transaction_.merchant_id == "m1"
        if not blocked and not allowed:
            assert record == own
            continue
        assert record.decision is (Decision.DECLINE if blocked else Decision.APPROVE)
        assert (record.severity is None) is not blocked
        assert (record.decision_without_lists, record.fraud_probability) == (
            own.decision,
            own.fraud_probability,
        )
        codes = ["list:block:customer"] * blocked + ["list:allow:merchant"] * allowed
        assert [reason.code for reason in record.reasons][: len(codes)] == codes
        assert [hit.entry_id for hit in record.list_hits] == ["b" * 12] * blocked + ["a" * 12] * allowed


@pytest.mark.parametrize("rules", [RuleCatalog(()), ALWAYS])
def test_a_listed_decision_is_made_again_from_its_record_alone(bundle: Path, rules: RuleCatalog) -> None:
    decider = Decider.load(bundle, rules)
    for record in decide(decider, listing(BLOCK, ALLOW)):
        read = msgspec.json.decode(msgspec.json.encode(record), type=type(record))
        again = decider.decide_again(read)
        assert (again.decision, again.severity, again.reasons, again.without_lists) == (
            record.decision,
            record.severity,
            record.reasons,
            record.decision_without_lists,
        )


def test_an_entry_that_ends_as_it_is_decided_is_not_in_force(bundle: Path) -> None:
    decider, one = Decider.load(bundle), [transaction(customer_id="c1")]
    until_5 = listing(msgspec.structs.replace(BLOCK, expires_at_ms=5))
    for at_ms, hits in ((4, 1), (5, 0)):
        [record] = decider.decide_many(
            one, ROWS[:1], [1], decided_by="api", decided_at_ms=at_ms, lists=until_5
        )
        assert len(record.list_hits) == hits


def decide(decider: Decider, lists: Lists, transactions: list[ValidatedTransaction] = TRANSACTIONS):  # type: ignore[no-untyped-def]
    return decider.decide_many(
        transactions, ROWS, range(len(ROWS)), decided_by="stream", decided_at_ms=1, lists=lists
    )
