from __future__ import annotations

import numpy as np

from bdp_assets.features.layout import FORMAT
from bdp_assets.features.records import CLAIM_BYTES, Batch, claim, find_claim, pack, transaction_key
from bdp_assets_tests.unit.features.strategies import START, transaction

ONE = transaction(1, START, 500, body=1)


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
