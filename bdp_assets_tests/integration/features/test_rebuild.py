"""The rebuild: a store that is filled from tables answers as one that was told message by message."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl
import pytest

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.online import OnlineStore
from bdp_assets.features.spec import MERCHANT, REVERSIBLE
from bdp_assets.features.times import DAY
from bdp_assets_tests.unit.features.frames import label_frame, transaction_frame
from bdp_assets_tests.unit.features.strategies import START, transaction

pytestmark = pytest.mark.services

HERE, THERE = "topic:0:7", "topic:0:8"
FIRST = transaction(1, START, 500, body=1)
SECOND = transaction(2, START + 1_000, 700, body=2)
OTHER_BODY = transaction(1, START, 999, body=9)


def label(of: ValidatedTransaction, is_fraud: bool, known_at_ms: int) -> Label:
    """One that says nothing else of its transaction."""
    keys = {"transaction_id": of.transaction_id, "customer_id": of.customer_id}
    return Label(**keys, is_fraud=is_fraud, known_at_ms=known_at_ms)


def tiles(store: OnlineStore) -> list[bytes | None]:
    """Those of the one merchant."""
    return store.client.mget(store.layout.tiles(MERCHANT, "m0"))


def live_and_rebuilt(
    store: OnlineStore, transactions: Sequence[ValidatedTransaction], labels: Sequence[Label]
) -> tuple[list[bytes | None], list[bytes | None]]:
    """The merchant's tiles where labels come one by one, and where they are in the tables."""
    rows = transaction_frame(transactions).with_columns(coordinates=pl.lit(HERE))
    store.rebuild(rows, label_frame([]))
    store.apply_labels(labels)
    live = tiles(store)
    store.rebuild(rows, label_frame(labels))
    return live, tiles(store)


def test_a_rebuild_leaves_other_keys_and_decisions_alone(store: OnlineStore) -> None:
    store.client.set("somebody else's", "value")
    store.enrich([FIRST, transaction(9, START, customer="gone", merchant="gone")], [HERE, THERE])
    store.save_decision(FIRST, b"approve")
    result = store.rebuild(transaction_frame([FIRST, SECOND]), label_frame([]))
    assert (result.customers, result.events, result.merchants, result.tiles) == (1, 2, 1, 1)
    assert not store.client.exists(store.layout.events("gone"), *store.layout.tiles(MERCHANT, "gone"))
    assert store.client.get("somebody else's") == b"value"
    assert store.decision("c0", "t1") == b"approve"
    empty = store.rebuild(transaction_frame([]), label_frame([]))
    assert (empty.events, store.ready()) == (0, True)


def test_a_label_known_before_its_transaction_counts_once_and_can_be_taken_back(store: OnlineStore) -> None:
    """As an event of that early time it would be forgotten by the next label, and count again."""
    early = label(FIRST, True, START - 2 * REVERSIBLE - DAY)
    told = [early, label(SECOND, True, START + DAY), early]
    for labels in (told, [*told, label(FIRST, False, START + 2 * DAY)]):
        live, rebuilt = live_and_rebuilt(store, [FIRST, SECOND], labels)
        assert live == rebuilt


def test_a_rebuild_leaves_no_tile_of_a_label_that_was_taken_back_too_late(store: OnlineStore) -> None:
    """It would stand far ahead of the others, and they would retire."""
    labels = [label(FIRST, True, START), label(FIRST, False, START + REVERSIBLE + DAY)]
    live, rebuilt = live_and_rebuilt(store, [FIRST], labels)
    assert live == rebuilt


def test_history_is_published_already(store: OnlineStore) -> None:
    store.rebuild(transaction_frame([FIRST]), label_frame([]))
    answers = store.enrich([FIRST, OTHER_BODY, FIRST], [HERE, HERE, None])
    assert [answer.status for answer in answers] == ["duplicate", "conflict", "redelivery"]
    mixed = transaction_frame([FIRST, SECOND]).with_columns(coordinates=pl.Series([None, THERE]))
    store.rebuild(mixed, label_frame([]))
    assert [a.status for a in store.enrich([FIRST, SECOND], [HERE, THERE])] == ["duplicate", "redelivery"]
