"""Random catalogs and event streams: many ties, duplicates and edges on purpose."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

from bdp_assets.contracts.records import Label, ValidatedTransaction
from bdp_assets.features.formulas import COLUMN_LIMIT
from bdp_assets.features.spec import (
    CUSTOMER,
    CUSTOMER_MERCHANT,
    DAY,
    HOUR,
    MERCHANT,
    MINUTE,
    Catalog,
    Entity,
    RowFeature,
    WindowFeature,
)

START = 1_530_000_000_000
AMOUNT = "amount_base_minor"
WINDOWS = (1, 7, MINUTE, HOUR, 6 * HOUR, DAY, 2 * DAY, 7 * DAY, 30 * DAY)

# Steps of time that meet: ties, exact window lengths, one millisecond to either side.
steps = st.sampled_from((0, 0, 1, 7, MINUTE, HOUR - 1, HOUR, DAY, DAY + 1, 7 * DAY, 7 * DAY - 1, 12 * DAY))
amounts = st.one_of(
    st.sampled_from((0, 1, 1_000, 9_999)), st.integers(0, 100_000), st.integers(0, COLUMN_LIMIT - 1)
)


def transaction(
    number: int,
    ts_ms: int,
    amount: int = 1_000,
    *,
    customer: str = "c0",
    merchant: str | None = "m0",
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
    )


@st.composite
def streams(draw: st.DrawFn, most: int = 30) -> list[ValidatedTransaction]:
    """Transactions of a few customers and merchants, out of order now and then, some ids more than once."""
    moments, now = [], START
    for step in draw(st.lists(steps, max_size=most)):
        now += step
        moments.append(now - draw(st.sampled_from((0, 0, 0, 0, 1, HOUR, 8 * DAY, 40 * DAY))))
    return [
        transaction(
            draw(st.sampled_from((i, i, i, i, i // 2))),
            ts_ms,
            draw(amounts),
            customer=draw(st.sampled_from(("c0", "c0", "c1", "c2"))),
            merchant=draw(st.sampled_from(("m0", "m0", "m1", None))),
            body=i,
        )
        for i, ts_ms in enumerate(moments)
    ]


def labels(transactions: Sequence[ValidatedTransaction]) -> st.SearchStrategy[list[Label]]:
    """Labels of some of the transactions: on time, early, late, repeated, taken back, or of nothing we
    know."""
    if not transactions:
        return st.just([])
    known = st.sampled_from(transactions)
    delays = st.sampled_from((0, 7 * DAY, 7 * DAY, 7 * DAY - 1, 9 * DAY, 60 * DAY, 97 * DAY, 98 * DAY))
    return st.lists(
        st.builds(_label, known, st.sampled_from((True, True, False)), delays, st.booleans()), max_size=12
    )


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
    features = [draw(window_features(f"f{i}", online=online)) for i in range(draw(st.integers(2, 8)))]
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
    entity: Entity = draw(st.sampled_from((CUSTOMER, CUSTOMER_MERCHANT, MERCHANT)))
    tiled = entity.state == "tiles"
    names = ("count", "sum", "mean", "share") + (() if tiled else ("std", "std", "seconds_since_last"))
    aggregate = draw(st.sampled_from(names))
    hop = DAY if tiled and online else draw(st.sampled_from((None, None, HOUR, DAY)))
    window = draw(st.sampled_from(WINDOWS if hop is None else tuple(w for w in WINDOWS if w % hop == 0)))
    filters = _filters(aggregate, tiled)
    if online and aggregate in ("sum", "mean"):
        filters = tuple(f for f in filters if f != "known_fraud")  # Labels do not carry the amount.
    filter_ = draw(st.sampled_from(filters))
    fraud = filter_ == "known_fraud"
    return WindowFeature(
        name=name,
        entity=entity,
        aggregate=aggregate,
        column=AMOUNT if aggregate in ("sum", "mean", "std") else None,
        filter=filter_,
        window=window,
        hop=hop,
        delay=7 * DAY if fraud else draw(st.sampled_from((0, 0, 1, HOUR, 7 * DAY))),
        include_current=draw(st.booleans()) and not fraud and aggregate != "seconds_since_last",
        scale=draw(st.sampled_from((1, 100))),
        default=draw(st.sampled_from((0.0, -1.0, 0.1))),
        unit="-",
        description="Random",
    )


def _filters(aggregate: str, tiled: bool) -> tuple[str | None, ...]:
    if aggregate == "seconds_since_last":
        return (None,)
    some: tuple[str | None, ...] = ("night", "known_fraud") if tiled else ("night",)
    return some if aggregate == "share" else (None, *some)
