"""What policies make of transactions: decisions, frauds and money, as expected and as it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import numpy as np
import polars as pl

from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.policy import Costs, Policy
from bdp_assets.decisions.policy_columns import DECLINE, REVIEW, cost_of, decide_all
from bdp_assets.features.catalog import AMOUNT
from bdp_assets.operations.policy_history import IS_FRAUD, PROBABILITY, History

REVIEWED, DECLINED = pl.col("decided") == REVIEW, pl.col("decided") == DECLINE
FRAUD = pl.col(IS_FRAUD)


@dataclass(frozen=True)
class Decided:
    """Transactions with one decision; money is in minor units of the base currency."""

    decision: str
    transactions: int
    amount_minor: int
    frauds: int
    fraud_amount_minor: int


@dataclass(frozen=True)
class DayFigures:
    """One day (UTC) under a policy."""

    day: date
    transactions: int
    frauds: int
    reviews: int
    declines: int
    frauds_caught: int
    """Frauds that were reviewed or declined."""
    false_declines: int
    """Good transactions that were declined."""
    expected_cost_minor: float
    realised_cost_minor: int


@dataclass(frozen=True)
class PolicyFigures:
    """A policy on a history. Costs are those of a day, in minor units of the base currency."""

    version: str
    says: str
    expected_cost_minor: float
    realised_cost_minor: float
    reviews_per_day: float
    declines_per_day: float
    frauds_caught: int
    fraud_amount_caught_minor: int
    false_declines: int
    decisions: tuple[Decided, ...]
    by_day: tuple[DayFigures, ...]


@dataclass(frozen=True)
class Comparison:
    """Policies on the same transactions, at the same costs."""

    model_version: str
    first: date
    last: date
    days: int
    """Days that have transactions."""
    transactions: int
    frauds: int
    fraud_amount_minor: int
    left_out: int
    """Transactions with features of another catalog, which the model cannot read."""
    costs: Costs
    policies: Mapping[str, PolicyFigures]


def compare(model_version: str, history: History, costs: Costs, policies: Mapping[str, Policy]) -> Comparison:
    """Policies by a name for each, whatever costs they were tuned for, on a history that is not empty."""
    return Comparison(
        model_version=model_version,
        first=history.first,
        last=history.last,
        days=history.days,
        transactions=len(history.rows),
        frauds=history.frauds,
        fraud_amount_minor=int(history.rows.filter(FRAUD)[AMOUNT].sum()),
        left_out=history.left_out,
        costs=costs,
        policies={name: figures(policy, history, costs) for name, policy in policies.items()},
    )


def figures(policy: Policy, history: History, costs: Costs) -> PolicyFigures:
    """One policy on a history that is not empty."""
    rows = _decided(policy, history, costs)
    days = tuple(DayFigures(**day) for day in _by_day(rows).iter_rows(named=True))
    decisions = tuple(_of(decision, position, rows) for position, decision in enumerate(Decision))
    return PolicyFigures(
        version=policy.version,
        says=policy.says,
        expected_cost_minor=sum(day.expected_cost_minor for day in days) / len(days),
        realised_cost_minor=sum(day.realised_cost_minor for day in days) / len(days),
        reviews_per_day=sum(day.reviews for day in days) / len(days),
        declines_per_day=sum(day.declines for day in days) / len(days),
        frauds_caught=sum(day.frauds_caught for day in days),
        fraud_amount_caught_minor=sum(one.fraud_amount_minor for one in decisions[1:]),
        false_declines=sum(day.false_declines for day in days),
        decisions=decisions,
        by_day=days,
    )


def _decided(policy: Policy, history: History, costs: Costs) -> pl.DataFrame:
    """The history with the columns decided (position in `Decision`), expected and realised (minor units)."""
    amount, probability, fraud = (
        history.rows[name].to_numpy().astype(np.float64) for name in (AMOUNT, PROBABILITY, IS_FRAUD)
    )
    decided = decide_all(policy, probability, amount)
    return history.rows.with_columns(
        decided=decided,
        expected=cost_of(decided, probability, amount, costs),
        realised=cost_of(decided, fraud, amount, costs).astype(np.int64),
    )


def _by_day(rows: pl.DataFrame) -> pl.DataFrame:
    """A row a day, with the fields of `DayFigures`."""
    return (
        rows.group_by(EVENT_DATE)
        .agg(
            transactions=pl.len(),
            frauds=FRAUD.sum(),
            reviews=REVIEWED.sum(),
            declines=DECLINED.sum(),
            frauds_caught=(FRAUD & (REVIEWED | DECLINED)).sum(),
            false_declines=(~FRAUD & DECLINED).sum(),
            expected_cost_minor=pl.col("expected").sum(),
            realised_cost_minor=pl.col("realised").sum(),
        )
        .sort(EVENT_DATE)
        .rename({EVENT_DATE: "day"})
    )


def _of(decision: Decision, position: int, rows: pl.DataFrame) -> Decided:
    found = rows.filter(pl.col("decided") == position)
    fraud = found.filter(FRAUD)
    return Decided(decision.value, len(found), int(found[AMOUNT].sum()), len(fraud), int(fraud[AMOUNT].sum()))
