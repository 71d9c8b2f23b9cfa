"""A decider whose decision is a function of the amount: 1,000 and more is declined."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from bdp_assets.contracts.records import Decision, ListHit, Reason, ValidatedTransaction
from bdp_assets.decisions.record import Circumstances, Verdict
from bdp_assets.decisions.ruling import by_lists, severity_of
from bdp_assets.features.catalog import CATALOG
from bdp_assets.scoring.bundle import ModelInfo

INFO = ModelInfo(
    name="fake",
    trained_at_ms=0,
    catalog_version=CATALOG.version,
    feature_names=CATALOG.names,
    metrics={},
    version="1",
    digest="0" * 12,
)


class FakeDecider:
    """Ids that begin with `unscorable` crash it, as a bad model might."""

    def circumstances(self, decided_by: str) -> Circumstances:
        return Circumstances(INFO, "1", "1", decided_by)

    def verdicts(
        self,
        transactions: Sequence[ValidatedTransaction],
        features: NDArray[np.float64],
        listed: Sequence[Sequence[ListHit]] = (),
    ) -> list[Verdict]:
        assert features.shape == (len(transactions), len(CATALOG.names))
        if any(tx.transaction_id.startswith("unscorable") for tx in transactions):
            raise FloatingPointError
        entries = listed or [()] * len(transactions)
        return [_verdict(tx.amount_base_minor, hits) for tx, hits in zip(transactions, entries, strict=True)]


def _verdict(amount_base_minor: int, hits: Sequence[ListHit]) -> Verdict:
    decision = Decision.DECLINE if amount_base_minor >= 100_000 else Decision.APPROVE
    probability = 0.9 if decision is Decision.DECLINE else 0.1
    severity = severity_of(decision, amount_base_minor)
    own = Verdict(probability, decision, [Reason("amount", "by its amount")], severity)
    return by_lists(own, amount_base_minor, hits) if hits else own
