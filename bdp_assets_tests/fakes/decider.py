"""A decider whose decision is a function of the amount: 1,000 and more is declined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bdp_assets.contracts.records import Decision, Prediction, Reason, ValidatedTransaction
from bdp_assets.features.catalog import CATALOG


class FakeDecider:
    """Ids that begin with `unscorable` crash it, as a bad model might."""

    def decide_many(
        self,
        transactions: Sequence[ValidatedTransaction],
        features: NDArray[np.float64],
        apply_seqs: Sequence[int],
        *,
        decided_by: str,
        decided_at_ms: int,
        degraded: bool = False,
    ) -> list[Prediction]:
        if any(tx.transaction_id.startswith("unscorable") for tx in transactions):
            raise FloatingPointError
        return [
            Prediction(
                transaction_id=tx.transaction_id,
                customer_id=tx.customer_id,
                ts_ms=tx.ts_ms,
                amount_base_minor=tx.amount_base_minor,
                fraud_probability=0.9 if tx.amount_base_minor >= 100_000 else 0.1,
                decision=Decision.DECLINE if tx.amount_base_minor >= 100_000 else Decision.APPROVE,
                reasons=[Reason("amount", "by its amount")],
                model_name="fake",
                model_version="1",
                policy_version="1",
                catalog_version=CATALOG.version,
                apply_seq=seq,
                features=dict(zip(CATALOG.names, row.tolist(), strict=True)),
                degraded=degraded,
                decided_by=decided_by,
                decided_at_ms=decided_at_ms,
            )
            for tx, row, seq in zip(transactions, features, apply_seqs, strict=True)
        ]
