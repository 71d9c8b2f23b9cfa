"""What transactions are told apart by, in drift and in performance alike."""

from __future__ import annotations

AMOUNT_EDGES = (2_000, 10_000)
"""Minor units of the base currency; each belongs to the band above it."""
NIGHT, NEW_MERCHANT = "is_night", "customer_merchant_is_new"
"""Features that are 0 or 1."""
