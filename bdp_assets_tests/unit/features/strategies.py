"""Random catalogs and event streams: many ties, duplicates and edges on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from hypothesis import strategies as st

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.aggregates import AGGREGATES
from bdp_assets.features.formulas import COLUMN_LIMIT
from bdp_assets.features.spec import (
    CUSTOMER,
    CUSTOMER_DEVICE,
    CUSTOMER_MERCHANT,
    DEVICE,
    MERCHANT,
    Catalog,
    Entity,
    RowFeature,
    WindowFeature,
)
from bdp_assets.features.times import ALL_HISTORY, DAY, HOUR, MINUTE

START = 1_530_000_000_000
AMOUNT = "amount_base_minor"
WINDOWS = (1, 7, MINUTE, HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY, ALL_HISTORY)
ENTITIES = (CUSTOMER, CUSTOMER, CUSTOMER_MERCHANT, CUSTOMER_DEVICE, MERCHANT, MERCHANT, DEVICE)

# Steps of time that meet: ties, exact window lengths, one millisecond to either side.
steps = st.sampled_from((0, 0, 1, 7, MINUTE, HOUR - 1, HOUR, DAY, DAY + 1, 7 * DAY, 7 * DAY - 1, 12 * DAY))
amounts = st.one_of(
    st.sampled_from((0, 1, 1_000, 9_999)), st.integers(0, 100_000), st.integers(0, COLUMN_LIMIT - 1)
)


_sizes, _either = st.integers(2, 8), st.booleans()


@cache
def among(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    """One of them. Made once: to make it takes longer than to draw, and there are thousands of examples."""
    return st.sampled_from(values)


def transaction(
    number: int,
    ts_ms: int,
    amount: int = 1_000,
    *,
    customer: str = "c0",
    merchant: str | None = "m0",
    device: str | None = None,
    body: int = 0,
) -> ValidatedTransaction:
    """A validated transaction; `body` tells apart bodies under one transaction_id."""
    return ValidatedTransaction(
        transaction_id=f"t{number}",
        customer_id=customer,
        timestamp="",
        ts_ms=ts_ms,
        amount=str(amount),
        currency="USD",
        amount_minor=amount,
        amount_base_minor=amount,
        rates_version="test",
        body_hash=f"{body:032x}",
        merchant_id=merchant,
        device_id=device,
        country=None if device is None else device[-1],
    )


@st.composite
def streams(
    draw: st.DrawFn, most: int = 30, customers: Sequence[str] = ("c0", "c0", "c1", "c2")
) -> list[ValidatedTransaction]:
    """Transactions of a few customers and merchants, out of order now and then, some ids more than once."""
    moments, now = [], START
    for step in draw(st.lists(steps, max_size=most)):
        now += step
        moments.append(now - draw(among((0, 0, 0, 0, 1, HOUR, 8 * DAY, 40 * DAY))))
    return [
        transaction(
            i // 2 if draw(among((False, False, False, False, True))) else i,
            ts_ms,
            draw(amounts),
            customer=draw(among(tuple(customers))),
            merchant=draw(among(("m0", "m0", "m1", None))),
            device=draw(among(("d0", "d1", None))),
            body=i,
        )
        for i, ts_ms in enumerate(moments)
    ]


def labels(transactions: Sequence[ValidatedTransaction]) -> st.SearchStrategy[list[Label]]:
    """Labels of some of the transactions: on time, early (even before them), late, repeated, taken
    back, or of nothing we know."""
    if not transactions:
        return st.just([])
    known = st.sampled_from(transactions)
    delays = among((-400 * DAY, -1, 0, 7 * DAY, 7 * DAY, 7 * DAY - 1, 9 * DAY, 60 * DAY, 97 * DAY, 98 * DAY))
    return st.lists(st.builds(_label, known, among((True, True, False)), delays, st.booleans()), max_size=12)


def _label(of: ValidatedTransaction, is_fraud: bool, delay: int, known: bool) -> Label:
    return Label(
        transaction_id=of.transaction_id if known or delay else "unknown",
        customer_id=of.customer_id,
        is_fraud=is_fraud,
        known_at_ms=of.ts_ms + delay,
        merchant_id=of.merchant_id,
        ts_ms=of.ts_ms,
    )


@st.composite
def catalogs(draw: st.DrawFn, *, online: bool = False) -> Catalog:
    """A few random window features, and a ratio of the first two."""
    features = [draw(window_features(f"f{i}", online=online)) for i in range(draw(_sizes))]
    ratio = RowFeature(
        name="ratio",
        formula="ratio",
        inputs=("f0", "f1"),
        default=-1.0,
        unit="times",
        description="First to second",
    )
    return Catalog((*features, ratio))


@st.composite
def window_features(draw: st.DrawFn, name: str, *, online: bool) -> WindowFeature:
    entity: Entity = draw(among(ENTITIES))
    tiled = entity.state == "tiles"
    names = [name for name, one in AGGREGATES.items() if (one.tiles if tiled else not one.of_run)]
    aggregate = draw(among(tuple(names)))
    how = AGGREGATES[aggregate]
    filter_ = draw(among(_filters(aggregate, entity)))
    fraud = filter_ == "known_fraud"
    timed = aggregate.startswith("seconds_since")
    needs_hop = (tiled and online) or (fraud and timed) or how.of_run
    hop = draw(among((HOUR, DAY) if needs_hop else (None, None, HOUR, DAY)))
    endless = how.all_history and not (fraud and timed)
    windows = tuple(w for w in WINDOWS if (endless or w != ALL_HISTORY) and (hop is None or w >= hop))
    delays = (0, 0, 1, HOUR, 7 * DAY) if not (tiled and online) else (HOUR, 7 * DAY)
    return WindowFeature(
        name=name,
        entity=entity,
        aggregate=aggregate,
        column={"number": AMOUNT, "id": draw(among(("merchant_id", "country"))), None: None}[how.column],
        filter=filter_,
        window=draw(among(windows)),
        hop=hop,
        delay=7 * DAY if fraud else draw(among(delays)),
        include_current=draw(_either) and not fraud and how.takes_current,
        scale=draw(among((1, 100))),
        default=draw(among((0.0, -1.0, 0.1))),
        unit="-",
        description="Random",
    )


def _filters(aggregate: str, entity: Entity) -> tuple[str | None, ...]:
    some: tuple[str | None, ...] = ("night", "weekend", "high_value")
    if entity == MERCHANT and AGGREGATES[aggregate].column is None:
        some = (*some, "known_fraud", "known_fraud")
    return some if AGGREGATES[aggregate].needs_filter else (None, None, None, *some)
