"""What the challenger would have decided of live traffic, beside what was decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.records import Decision
from bdp_assets.decisions.policy import Costs
from bdp_assets.decisions.policy_columns import DECLINE, REVIEW, Decisions, cost_of
from bdp_assets.features.catalog import AMOUNT
from bdp_assets.ingest.tables import rows
from bdp_assets.operations.policy_history import first_unseen
from bdp_assets.operations.rule_history import KEY, labels_of
from bdp_assets.operations.shadow.scores import TABLE
from bdp_assets.scoring.bundle import ModelInfo
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.bootstrap import Difference, paired
from bdp_assets.training.contest import figures
from bdp_assets.training.outcomes import Outcomes
from bdp_assets.training.policy_release import costs_here

DAYS = 28
"""The latest days of shadow scores that are compared."""
CHAMPION, CHALLENGER = "champion", "challenger"
SIDES = (CHALLENGER, CHAMPION)
_POSITION = {decision.value: position for position, decision in enumerate(Decision)}


class NothingCompared(LookupError):  # noqa: N818 - reads as what it is
    """The challenger has scored no live decision yet; the message says what to do."""


@dataclass(frozen=True)
class Side:
    """What one of the two makes of the transactions; costs in minor units of the base currency."""

    reviewed: int
    declined: int
    expected_cost_a_day_minor: float
    """By its own probabilities: what it believes, which labels may contradict."""


@dataclass(frozen=True)
class Matured:
    """Transactions of the days first..last whose labels are due and which the challenger did not learn from:
    `figures` of `training.contest`, the challenger's as `one`, the champion's as `other`."""

    first: date
    last: date
    transactions: int
    frauds: int
    figures: dict[str, Difference]


@dataclass(frozen=True)
class Comparison:
    """One challenger and whatever version decided, on the live transactions of the days first..last (UTC)."""

    challenger: str
    champions: tuple[str, ...]
    first: date
    last: date
    costs: Costs
    rows: pl.DataFrame
    """Of the table `shadow_scores`."""
    sides: dict[str, Side]
    changes: pl.DataFrame
    """champion, challenger (decisions), transactions, amount_minor: a row for each pair that occurs."""
    matured: Matured | None
    waits: str
    """Why nothing is matured; empty where something is."""

    @property
    def changed(self) -> int:
        """Transactions with another decision."""
        differing = self.changes.filter(pl.col(CHAMPION) != pl.col(CHALLENGER))
        return int(differing["transactions"].sum())

    @property
    def differences(self) -> pl.Series:
        """Challenger's score less the champion's, of each row."""
        return self.rows["challenger_score"] - self.rows["champion_score"]


def compare_shadow(settings: Settings, challenger: ModelInfo, days: int = DAYS) -> Comparison:
    """The latest `days` days that the challenger has scored, at the costs of the policy that serves here.

    Raises NothingCompared.
    """
    lake, version = Lake.of(settings), challenger.version
    found = rows(lake, TABLE, filters=pl.col("challenger_version") == version)
    found = found.filter(pl.col(EVENT_DATE) > pl.col(EVENT_DATE).max() - timedelta(days=days))
    if found.is_empty():
        raise NothingCompared(
            f"challenger {version} has scored no live decision yet: Dagster has it score those that land, "
            "`bdp assets shadow` those that did before"
        )
    costs = costs_here(LocalBundles(settings.models_dir))
    unseen, due = first_unseen(challenger), _last(found) - timedelta(days=settings.label_delay_days)
    judged = _labelled(lake, found.filter(pl.col(EVENT_DATE).is_between(unseen, due)))
    waits = _waits(judged, unseen, due)
    return Comparison(
        challenger=version,
        champions=tuple(found["champion_version"].unique().sort()),
        first=found[EVENT_DATE].min(),  # type: ignore[arg-type]
        last=_last(found),
        costs=costs,
        rows=found,
        sides={name: _side(found, name, costs) for name in SIDES},
        changes=_changes(found),
        matured=None if waits else _matured(judged, costs),
        waits=waits,
    )


def _last(found: pl.DataFrame) -> date:
    return found[EVENT_DATE].max()  # type: ignore[return-value]


def _side(found: pl.DataFrame, name: str, costs: Costs) -> Side:
    decided, scores = _decided(found, name), found[f"{name}_score"].to_numpy()
    expected = cost_of(decided, scores, _amounts(found), costs).sum() / found[EVENT_DATE].n_unique()
    return Side(int((decided == REVIEW).sum()), int((decided == DECLINE).sum()), float(expected))


def _changes(found: pl.DataFrame) -> pl.DataFrame:
    order = [pl.col(name).replace_strict(_POSITION, return_dtype=pl.Int8) for name in (CHAMPION, CHALLENGER)]
    return (
        found.group_by(pl.col(f"{name}_decision").alias(name) for name in (CHAMPION, CHALLENGER))
        .agg(transactions=pl.len(), amount_minor=pl.col(AMOUNT).sum())
        .sort(*order)
    )


def _labelled(lake: Lake, found: pl.DataFrame) -> pl.DataFrame:
    known = found.join(labels_of(lake, found), on=KEY, how="left", maintain_order="left")
    return known.with_columns(pl.col("is_fraud").fill_null(value=False))


def _waits(judged: pl.DataFrame, unseen: date, due: date) -> str:
    frauds = int(judged["is_fraud"].sum())
    if frauds not in {0, len(judged)}:
        return ""
    return (
        f"of the days from {unseen} on, which the challenger did not learn from, labels are due until {due}: "
        f"{len(judged):,} transactions, {frauds:,} of them known fraud. Wait for labels"
    )


def _matured(judged: pl.DataFrame, costs: Costs) -> Matured:
    one, other = (figures(_outcomes(judged, name), _decided(judged, name), costs) for name in SIDES)
    found = paired(judged["customer_id"], {name: (one[name], other[name]) for name in one})
    first: date = judged[EVENT_DATE].min()  # type: ignore[assignment]
    return Matured(first, _last(judged), len(judged), int(judged["is_fraud"].sum()), found)


def _outcomes(judged: pl.DataFrame, name: str) -> Outcomes:
    days = judged[EVENT_DATE].n_unique()
    return Outcomes(judged[f"{name}_score"].to_numpy(), _amounts(judged), judged["is_fraud"].to_numpy(), days)


def _amounts(found: pl.DataFrame) -> np.ndarray:
    return found[AMOUNT].cast(pl.Float64).to_numpy()


def _decided(found: pl.DataFrame, name: str) -> Decisions:
    """Positions in `Decision`, int8 [n]."""
    return found[f"{name}_decision"].replace_strict(_POSITION, return_dtype=pl.Int8).to_numpy()
