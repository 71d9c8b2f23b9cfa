from __future__ import annotations

from dataclasses import replace

import pytest

from bdp_assets.clients.dagster import ControlPlaneState
from bdp_assets.operations.demo.proof import Proof
from bdp_assets.operations.ledger import Equation, Ledger

WHOLE = ControlPlaneState(
    materialised=("raw/transactions",),
    missing=(),
    checks_passed=("raw/transactions:transactions_schema",),
    checks_failed=(),
    checks_warned=("a/b:unusual",),
    checks_open=(),
)
BALANCED = Ledger(counts={}, refused={}, equations=(Equation("raw = raw", 1, 1),))


def test_it_holds_when_all_is_there_and_adds_up() -> None:
    assert Proof(BALANCED, {}, WHOLE, not_landed=0).holds


@pytest.mark.parametrize(
    "proof",
    [
        Proof(
            Ledger(counts={}, refused={}, equations=(Equation("raw = raw", 1, 2),)), {}, WHOLE, not_landed=0
        ),
        Proof(BALANCED, {}, WHOLE, not_landed=1),
        Proof(BALANCED, {}, replace(WHOLE, missing=("models/fraud_ensemble",)), not_landed=0),
        Proof(BALANCED, {}, replace(WHOLE, checks_failed=("a/b:c",)), not_landed=0),
        Proof(BALANCED, {}, replace(WHOLE, checks_open=("a/b:c",)), not_landed=0),
    ],
)
def test_it_does_not_hold_when_anything_is_open(proof: Proof) -> None:
    assert not proof.holds
