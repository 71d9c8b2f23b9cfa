"""A validated transaction to decide."""

from __future__ import annotations

from typing import Any

from bdp_assets.contracts.records import ValidatedTransaction


def transaction(number: int = 1, amount_base_minor: int = 5_000, **fields: Any) -> ValidatedTransaction:
    """Transaction t<number> of c1."""
    made = {
        "transaction_id": f"t{number}",
        "customer_id": "c1",
        "merchant_id": "m1",
        "timestamp": "2026-01-01T00:00:00Z",
        "ts_ms": 1_767_225_600_000,
        "amount": f"{amount_base_minor / 100:.2f}",
        "currency": "USD",
        "amount_minor": amount_base_minor,
        "amount_base_minor": amount_base_minor,
        "rates_version": "1",
        "body_hash": "0" * 32,
        **fields,
    }
    return ValidatedTransaction(**made)
