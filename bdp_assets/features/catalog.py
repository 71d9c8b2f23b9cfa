"""The features. One entry here, and training, the stream, the API, the tables and the docs have it."""

from __future__ import annotations

from functools import partial

from bdp_assets.features.spec import (
    CUSTOMER,
    CUSTOMER_MERCHANT,
    MERCHANT,
    Catalog,
    Feature,
    RowFeature,
    WindowFeature,
)
from bdp_assets.features.times import DAY, HOUR, MINUTE, span

AMOUNT = "amount_base_minor"
MONEY = "base currency"
LABEL_DELAY = 7 * DAY
"""When most labels are known."""

_customer = partial(WindowFeature, entity=CUSTOMER)
_spending = partial(_customer, column=AMOUNT, scale=100, unit=MONEY)
_pair = partial(WindowFeature, entity=CUSTOMER_MERCHANT)
_merchant = partial(WindowFeature, entity=MERCHANT, delay=LABEL_DELAY, hop=HOUR)
"""By the hour: a label counts half a day earlier than by the day, and runs of fraud last only weeks."""
_frauds = partial(_merchant, filter="known_fraud")
_flag = partial(RowFeature, unit="0 or 1")
_ratio = partial(RowFeature, formula="ratio", unit="times", default=1.0)

_of_the_transaction: tuple[Feature, ...] = (
    RowFeature(
        name="amount_value", formula="major_units", inputs=(AMOUNT,), unit=MONEY, description="Amount"
    ),
    RowFeature(
        name="amount_scaled",
        formula="saturation",
        inputs=(AMOUNT,),
        unit="0 to 1",
        description="Amount on a bounded scale: a half at 100.00, towards 1 for the largest",
    ),
    _flag(
        name="amount_is_round",
        formula="is_round",
        inputs=(AMOUNT,),
        description="Amount is a multiple of 10.00",
    ),
    _flag(
        name="amount_is_high",
        formula="is_high_value",
        inputs=(AMOUNT,),
        description="Amount is 500.00 or more",
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
    _flag(name="is_weekend", formula="is_weekend", inputs=("ts_ms",), description="Saturday or Sunday (UTC)"),
    _flag(name="is_night", formula="is_night", inputs=("ts_ms",), description="From 0 to 6 o'clock (UTC)"),
)

_velocity: tuple[Feature, ...] = tuple(
    _customer(
        name=f"customer_count_{span(window)}",
        aggregate="count",
        window=window,
        include_current=True,
        unit="transactions",
        description=f"The customer's transactions within {span(window)}, with this one",
    )
    for window in (MINUTE, 10 * MINUTE, HOUR, 6 * HOUR, DAY, 7 * DAY, 30 * DAY)
)

_amounts: tuple[Feature, ...] = (
    *(
        _spending(
            name=f"customer_amount_mean_{span(window)}",
            aggregate="mean",
            window=window,
            include_current=True,
            description=f"The customer's mean amount within {span(window)}, with this one",
        )
        for window in (DAY, 7 * DAY, 30 * DAY)
    ),
    _spending(
        name="customer_amount_sum_1d",
        aggregate="sum",
        window=DAY,
        description="What the customer spent in the day before",
    ),
    _spending(
        name="customer_usual_amount",
        aggregate="mean",
        window=90 * DAY,
        description="The customer's mean amount in the 90 days before",
    ),
    _spending(
        name="customer_usual_spread",
        aggregate="std",
        window=90 * DAY,
        description="Standard deviation of the customer's amounts in the 90 days before",
    ),
    _spending(
        name="customer_amount_mean_before_14d",
        aggregate="mean",
        window=60 * DAY,
        delay=14 * DAY,
        description="The customer's mean amount in 60 days, up to 14 days ago",
    ),
    *(
        _spending(
            name=f"customer_amount_max_{span(window)}",
            aggregate="max",
            window=window,
            description=f"The customer's largest amount in the {span(window)} before",
        )
        for window in (DAY, 7 * DAY, 14 * DAY, 90 * DAY)
    ),
    _spending(
        name="customer_amount_min_90d",
        aggregate="min",
        window=90 * DAY,
        description="The customer's smallest amount in the 90 days before",
    ),
    _spending(
        name="customer_last_amount",
        aggregate="last",
        window=30 * DAY,
        description="The customer's amount before this one, within 30 days",
    ),
    _ratio(
        name="amount_to_usual",
        inputs=("amount_value", "customer_usual_amount"),
        description="Amount against the customer's mean of 90 days; 1 without history",
    ),
    RowFeature(
        name="amount_zscore",
        formula="zscore",
        inputs=("amount_value", "customer_usual_amount", "customer_usual_spread"),
        unit="standard deviations",
        description="Amount against the customer's mean and spread of 90 days; 0 without spread",
    ),
    _ratio(
        name="amount_to_earlier",
        inputs=("amount_value", "customer_amount_mean_before_14d"),
        description="Amount against the customer's mean up to 14 days ago; 1 without history",
    ),
    _ratio(
        name="amount_to_max_90d",
        inputs=("amount_value", "customer_amount_max_90d"),
        description="Amount against the customer's largest of 90 days; 1 without history",
    ),
    *(
        _ratio(
            name=f"customer_max_{span(window)}_to_earlier",
            inputs=(f"customer_amount_max_{span(window)}", "customer_amount_mean_before_14d"),
            description=f"The customer's largest amount of {span(window)} against the mean up to 14 days ago",
        )
        for window in (7 * DAY, 14 * DAY)
    ),
    _ratio(
        name="customer_spending_1d_to_30d",
        inputs=("customer_amount_mean_1d", "customer_amount_mean_30d"),
        description="The customer's mean amount of a day against that of 30 days",
    ),
)

_habits: tuple[Feature, ...] = (
    _customer(
        name="customer_night_share_30d",
        aggregate="share",
        filter="night",
        window=30 * DAY,
        unit="0 to 1",
        description="Share of the customer's transactions at night in the 30 days before",
    ),
    _customer(
        name="customer_high_share_30d",
        aggregate="share",
        filter="high_value",
        window=30 * DAY,
        unit="0 to 1",
        description="Share of the customer's transactions of 500.00 or more in the 30 days before",
    ),
    *(
        _customer(
            name=f"customer_merchants_{span(window)}",
            aggregate="distinct",
            column="merchant_id",
            window=window,
            unit="merchants",
            description=f"How many different merchants the customer paid in the {span(window)} before",
        )
        for window in (HOUR, DAY)
    ),
    _customer(
        name="customer_countries_1d",
        aggregate="distinct",
        column="country",
        window=DAY,
        unit="countries",
        description="How many different countries the customer paid in within the day before",
    ),
    _customer(
        name="customer_seconds_since_last",
        aggregate="seconds_since_last",
        window=30 * DAY,
        default=30 * 86_400.0,
        unit="seconds",
        description="Time since the customer's last transaction; 30 days when there is none",
    ),
    _customer(
        name="customer_seconds_since_first",
        aggregate="seconds_since_first",
        window=90 * DAY,
        unit="seconds",
        description="Time since the customer's first transaction of 90 days; 0 for a new customer",
    ),
    _pair(
        name="customer_merchant_count_90d",
        aggregate="count",
        window=90 * DAY,
        unit="transactions",
        description="The customer's transactions with this merchant in the 90 days before",
    ),
    _flag(
        name="customer_merchant_is_new",
        formula="is_zero",
        inputs=("customer_merchant_count_90d",),
        description="First time in 90 days that the customer meets this merchant",
    ),
)

_merchants: tuple[Feature, ...] = (
    *(
        _merchant(
            name=f"merchant_count_{span(window)}",
            aggregate="count",
            window=window,
            unit="transactions",
            description=f"The merchant's transactions in {span(window)}, up to 7 days ago",
        )
        for window in (DAY, 7 * DAY, 30 * DAY)
    ),
    *(
        _frauds(
            name=f"merchant_fraud_share_{span(window)}",
            aggregate="share",
            window=window,
            unit="0 to 1",
            description=f"Known frauds per transaction of the merchant in {span(window)}, up to 7 days ago",
        )
        for window in (DAY, 7 * DAY, 14 * DAY, 30 * DAY)
    ),
    *(
        _frauds(
            name=f"merchant_frauds_{span(window)}",
            aggregate="count",
            window=window,
            unit="transactions",
            description=f"Known frauds of the merchant in {span(window)}, up to 7 days ago",
        )
        for window in (3 * DAY, 7 * DAY, 21 * DAY)
    ),
    _frauds(
        name="merchant_fraud_first_seconds",
        aggregate="seconds_since_first",
        window=30 * DAY,
        unit="seconds",
        description="Time since the merchant's first known fraud of 30 days; 0 without one",
    ),
    _frauds(
        name="merchant_fraud_rest_seconds",
        aggregate="seconds_since_last",
        window=30 * DAY,
        default=60 * 86_400.0,
        unit="seconds",
        description="Time since the merchant's last known fraud of 30 days; 60 days without one",
    ),
    _frauds(
        name="merchant_fraud_run_count",
        aggregate="run_count",
        window=30 * DAY,
        unit="transactions",
        description="Known frauds of the merchant since its last transaction that was none, up to 7 days ago",
    ),
    _frauds(
        name="merchant_fraud_run_seconds",
        aggregate="seconds_since_run",
        window=30 * DAY,
        unit="seconds",
        description="Time since that unbroken series of the merchant's frauds began; 0 without one",
    ),
    _merchant(
        name="merchant_amount_mean_30d",
        aggregate="mean",
        column=AMOUNT,
        scale=100,
        window=30 * DAY,
        unit=MONEY,
        description="The merchant's mean amount in 30 days, up to 7 days ago",
    ),
)

CATALOG = Catalog((*_of_the_transaction, *_velocity, *_amounts, *_habits, *_merchants))

_card = partial(
    _customer,
    include_current=True,
    description="As in the Fraud Detection Handbook: with the transaction itself",
)
_terminal = partial(
    WindowFeature,
    entity=MERCHANT,
    delay=LABEL_DELAY,
    description="As in the Fraud Detection Handbook: up to 7 days ago",
)
_card_count = partial(_card, aggregate="count", unit="transactions")
_card_mean = partial(_card, aggregate="mean", column=AMOUNT, scale=100, unit=MONEY)
_terminal_count = partial(_terminal, aggregate="count", unit="transactions")
_terminal_risk = partial(_terminal, aggregate="share", filter="known_fraud", unit="0 to 1")


def _published(days: int) -> tuple[WindowFeature, ...]:
    window = days * DAY
    return (
        _card_count(name=f"CUSTOMER_ID_NB_TX_{days}DAY_WINDOW", window=window),
        _card_mean(name=f"CUSTOMER_ID_AVG_AMOUNT_{days}DAY_WINDOW", window=window),
        _terminal_count(name=f"TERMINAL_ID_NB_TX_{days}DAY_WINDOW", window=window),
        _terminal_risk(name=f"TERMINAL_ID_RISK_{days}DAY_WINDOW", window=window),
    )


HANDBOOK = Catalog((*_published(1), *_published(7), *_published(30)))
"""The 12 published window features, exact to the millisecond; without a hop they are for batch only."""
