"""Drafts: transactions as numbers, before they get ids and their wire shape.

One row a transaction. Columns: customer, merchant and city (Int64 numbers; the city is where the buyer is),
ts_ms (Int64, UTC epoch milliseconds), usd (Float64), channel, device (-1: none) and kind (Int64).
"""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.simulator.population import Floats, Ints

KINDS = ("genuine", "stolen_card", "compromised_merchant", "account_takeover", "card_testing")
GENUINE, STOLEN_CARD, COMPROMISED_MERCHANT, ACCOUNT_TAKEOVER, CARD_TESTING = range(len(KINDS))
CHANNELS = ("chip", "contactless", "ecommerce", "atm")
CHIP, CONTACTLESS, ECOMMERCE, ATM = range(len(CHANNELS))
NO_DEVICE = -1


def draft(  # noqa: PLR0913 - one argument a column
    *,
    customer: Ints,
    merchant: Ints,
    city: Ints,
    ts_ms: Ints,
    usd: Floats,
    channel: Ints | int,
    device: Ints | int,
    kind: int,
) -> pl.DataFrame:
    """One frame from columns; a single number fills its column."""
    size = len(customer)
    return pl.DataFrame(
        {
            "customer": customer,
            "merchant": merchant,
            "city": city,
            "ts_ms": ts_ms,
            "usd": usd,
            "channel": np.broadcast_to(channel, size).astype(np.int64),
            "device": np.broadcast_to(device, size).astype(np.int64),
            "kind": np.full(size, kind, dtype=np.int64),
        }
    )


def running_sum(steps: Floats, counts: Ints) -> Floats:
    """Sum of the steps so far within each group of consecutive rows; `counts` are the sizes of the groups."""
    total = np.cumsum(steps)
    starts = np.cumsum(counts) - counts
    base = np.concatenate(([0.0], total))[starts]
    within: Floats = total - np.repeat(base, counts)
    return within


def new_devices(rng: np.random.Generator, size: int) -> Ints:
    """Devices that nobody has used before."""
    return rng.integers(50_000_000, 100_000_000, size)
