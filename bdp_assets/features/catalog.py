"""The features. One entry here, and training, the stream, the API, the tables and the docs have it."""

from __future__ import annotations

from bdp_assets.features.spec import (
    CUSTOMER,
    CUSTOMER_MERCHANT,
    DAY,
    HOUR,
    MERCHANT,
    MINUTE,
    Catalog,
    Feature,
    RowFeature,
    WindowFeature,
    span,
)

AMOUNT = "amount_base_minor"
MONEY = "base currency"
LABEL_DELAY = 7 * DAY
_VELOCITY = (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY)
_RISK = (DAY, 7 * DAY, 30 * DAY)

_transaction: tuple[Feature, ...] = (
    RowFeature(
        name="amount_value",
        formula="major_units",
        inputs=(AMOUNT,),
        unit=MONEY,
        description="Amount of the transaction",
    ),
    RowFeature(
        name="amount_scaled",
        formula="saturation",
        inputs=(AMOUNT,),
        unit="0 to 1",
        description="Amount on a bounded scale: a half at 100.00, towards 1 for the largest",
    ),
    RowFeature(
        name="amount_is_round",
        formula="is_round",
        inputs=(AMOUNT,),
        unit="0 or 1",
        description="Amount is a multiple of 10.00",
    ),
    RowFeature(
        name="hour", formula="hour", inputs=("ts_ms",), unit="hour", description="Hour of the day (UTC)"
    ),
    RowFeature(
        name="weekday",
        formula="weekday",
        inputs=("ts_ms",),
        unit="day",
        description="0 Monday to 6 Sunday (UTC)",
    ),
    RowFeature(
        name="is_weekend",
        formula="is_weekend",
        inputs=("ts_ms",),
        unit="0 or 1",
        description="Saturday or Sunday (UTC)",
    ),
    RowFeature(
        name="is_night",
        formula="is_night",
        inputs=("ts_ms",),
        unit="0 or 1",
        description="From 0 to 6 o'clock (UTC)",
    ),
)

_customer: tuple[Feature, ...] = (
    *(
        WindowFeature(
            name=f"customer_count_{span(window)}",
            entity=CUSTOMER,
            aggregate="count",
            window=window,
            unit="transactions",
            description=f"The customer's transactions in the {span(window)} before",
        )
        for window in _VELOCITY
    ),
    *(
        WindowFeature(
            name=f"customer_amount_mean_{span(window)}",
            entity=CUSTOMER,
            aggregate="mean",
            column=AMOUNT,
            window=window,
            scale=100,
            unit=MONEY,
            description=f"The customer's mean amount in the {span(window)} before",
        )
        for window in (DAY, 7 * DAY, 30 * DAY)
    ),
    WindowFeature(
        name="customer_amount_sum_1d",
        entity=CUSTOMER,
        aggregate="sum",
        column=AMOUNT,
        window=DAY,
        scale=100,
        unit=MONEY,
        description="What the customer spent in the day before",
    ),
    WindowFeature(
        name="customer_amount_std_30d",
        entity=CUSTOMER,
        aggregate="std",
        column=AMOUNT,
        window=30 * DAY,
        scale=100,
        unit=MONEY,
        description="Standard deviation of the customer's amounts in the 30 days before",
    ),
    WindowFeature(
        name="customer_night_share_30d",
        entity=CUSTOMER,
        aggregate="share",
        filter="night",
        window=30 * DAY,
        unit="0 to 1",
        description="Share of the customer's transactions at night in the 30 days before",
    ),
    WindowFeature(
        name="customer_seconds_since_last",
        entity=CUSTOMER,
        aggregate="seconds_since_last",
        window=30 * DAY,
        default=30 * 86_400.0,
        unit="seconds",
        description="Time since the customer's last transaction; 30 days when there is none",
    ),
    RowFeature(
        name="amount_to_mean_30d",
        formula="ratio",
        inputs=("amount_value", "customer_amount_mean_30d"),
        default=1.0,
        unit="times",
        description="Amount against the customer's mean of 30 days; 1 without history",
    ),
    RowFeature(
        name="amount_zscore_30d",
        formula="zscore",
        inputs=("amount_value", "customer_amount_mean_30d", "customer_amount_std_30d"),
        unit="standard deviations",
        description="Amount against the customer's mean and spread of 30 days; 0 without spread",
    ),
    RowFeature(
        name="spend_1d_to_30d",
        formula="ratio",
        inputs=("customer_amount_mean_1d", "customer_amount_mean_30d"),
        unit="times",
        description="The customer's mean amount of the last day against that of 30 days",
    ),
    WindowFeature(
        name="customer_merchant_count_30d",
        entity=CUSTOMER_MERCHANT,
        aggregate="count",
        window=30 * DAY,
        unit="transactions",
        description="The customer's transactions with this merchant in the 30 days before",
    ),
    RowFeature(
        name="customer_merchant_is_new",
        formula="is_zero",
        inputs=("customer_merchant_count_30d",),
        unit="0 or 1",
        description="First time in 30 days that the customer meets this merchant",
    ),
)

_merchant: tuple[Feature, ...] = (
    *(
        WindowFeature(
            name=f"merchant_count_{span(window)}",
            entity=MERCHANT,
            aggregate="count",
            window=window,
            delay=LABEL_DELAY,
            hop=DAY,
            unit="transactions",
            description=f"The merchant's transactions in {span(window)}, up to 7 days ago",
        )
        for window in _RISK
    ),
    *(
        WindowFeature(
            name=f"merchant_fraud_share_{span(window)}",
            entity=MERCHANT,
            aggregate="share",
            filter="known_fraud",
            window=window,
            delay=LABEL_DELAY,
            hop=DAY,
            unit="0 to 1",
            description=f"Known frauds per transaction of the merchant in {span(window)}, up to 7 days ago",
        )
        for window in _RISK
    ),
)

CATALOG = Catalog((*_transaction, *_customer, *_merchant))


def _of_customer(
    days: int, name: str, aggregate: str, column: str | None = None, scale: int = 1
) -> WindowFeature:
    return WindowFeature(
        name=f"CUSTOMER_ID_{name}_{days}DAY_WINDOW",
        entity=CUSTOMER,
        aggregate=aggregate,
        column=column,
        window=days * DAY,
        include_current=True,
        scale=scale,
        unit=MONEY if column else "transactions",
        description="As in the Fraud Detection Handbook: with the transaction itself",
    )


def _of_terminal(days: int, name: str, aggregate: str, label: str | None = None) -> WindowFeature:
    return WindowFeature(
        name=f"TERMINAL_ID_{name}_{days}DAY_WINDOW",
        entity=MERCHANT,
        aggregate=aggregate,
        filter=label,
        window=days * DAY,
        delay=LABEL_DELAY,
        unit="0 to 1" if label else "transactions",
        description="As in the Fraud Detection Handbook: up to 7 days ago",
    )


def _published(days: int) -> tuple[WindowFeature, ...]:
    return (
        _of_customer(days, "NB_TX", "count"),
        _of_customer(days, "AVG_AMOUNT", "mean", AMOUNT, scale=100),
        _of_terminal(days, "NB_TX", "count"),
        _of_terminal(days, "RISK", "share", "known_fraud"),
    )


HANDBOOK = Catalog((*_published(1), *_published(7), *_published(30)))
"""The 12 published window features, exact to the millisecond; without a hop they are for batch only."""
