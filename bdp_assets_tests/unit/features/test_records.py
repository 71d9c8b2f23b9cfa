from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.contracts.records import ValidatedTransaction
from bdp_assets.features.formulas import COLUMN_LIMIT
from bdp_assets.features.layout import FORMAT
from bdp_assets.features.records import (
    CLAIM_BYTES,
    Batch,
    claim,
    find_claim,
    id_hash,
    pack,
    transaction_key,
)
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.features.frames import transaction_frame
from bdp_assets_tests.unit.features.strategies import START, streams, transaction

ONE = transaction(1, START, 500, body=1)
IDS = ("country", "device_id", "merchant_id")
some_ids = st.lists(st.sampled_from(IDS), unique=True)


def test_what_is_stored_changes_with_its_format_only() -> None:
    """Another record under the same keys would be misread by what runs: raise FORMAT with it."""
    event = pack(
        np.array([[7, START, START - 1]]),
        [transaction_key("t1")],
        Batch.of([ONE], ["country"]).kept(["country"]),
    )
    assert (FORMAT, event.hex(), claim("topic:0:1", "t1", ONE.body_hash).hex()) == (
        4,
        "07000000391bbc3f00441b3b64010000ff431b3b64010000f401000000000000ffffffffffffffff",
        "e5a92f6eb3fcc201391bbc3f95fd0429aba4ead7026fc4c000000000000000000000000000000001",
    )


def test_a_claim_is_found_by_its_transaction_and_nowhere_else() -> None:
    claims = [claim(f"topic:0:{n}", f"t{n}", ONE.body_hash) for n in range(5)]
    assert [find_claim(b"".join(claims), f"t{n}") for n in (0, 4, 5)] == [0, 4, None]
    # The key of one transaction as the body of another is no claim of it.
    misleading = claims[0][:24] + claims[1][8:24]
    assert len(misleading) == CLAIM_BYTES
    assert find_claim(misleading + claims[1], "t1") == 1


@given(streams(), some_ids)
@settings(max_examples=cases(100))
def test_a_batch_is_its_transactions_column_by_column(
    transactions: list[ValidatedTransaction], ids: list[str]
) -> None:
    batch = Batch.of(transactions, ids)
    numbers = {name: [getattr(t, name) for t in transactions] for name in ("ts_ms", "amount_base_minor")}
    hashes = {name: [id_hash(getattr(t, name)) for t in transactions] for name in ids}
    assert {name: column.tolist() for name, column in batch.columns.items()} == numbers | hashes
    assert all(column.dtype == np.int64 and column.flags.c_contiguous for column in batch.columns.values())
    table = Batch.of_table(transaction_frame(transactions), ids).columns
    assert {name: column.tolist() for name, column in table.items()} == numbers | hashes


@given(streams(), some_ids)
@settings(max_examples=cases(100))
def test_what_is_sent_of_an_event_is_what_its_record_keeps(
    transactions: list[ValidatedTransaction], ids: list[str]
) -> None:
    batch = Batch.of(transactions, IDS)
    moments = np.array([[n, t.ts_ms, 0] for n, t in enumerate(transactions)]).reshape(-1, 3)
    records = pack(moments, None, batch.kept(ids))
    size = len(records) // max(1, len(transactions))
    events = [records[size * n : size * (n + 1)] for n in range(len(transactions))]
    assert batch.packed(ids) == [event[8:16] + event[24:] for event in events]


@pytest.mark.parametrize("amount", [-1, COLUMN_LIMIT])
def test_a_number_outside_its_range_is_refused(amount: int) -> None:
    transactions = [ONE, transaction(2, START, amount)]
    with pytest.raises(ValueError, match="amount_base_minor"):
        Batch.of(transactions, [])
    with pytest.raises(ValueError, match="amount_base_minor"):
        Batch.of_table(transaction_frame(transactions), [])
