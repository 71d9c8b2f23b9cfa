"""Figures of the comparison, against the same worked out in plain loops."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from pathlib import Path

import msgspec
import polars as pl
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.records import Decision, Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.tuning import COSTS
from bdp_assets.operations.shadow.comparison import Comparison, NothingCompared, compare_shadow
from bdp_assets.operations.shadow.scores import TABLE, shadow_days
from bdp_assets.operations.shadow.tables import changes_table, differences_table, live_table, matured_table
from bdp_assets.scoring.bundle import ModelInfo
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.scored_lake import START
from bdp_assets_tests.fakes.shadow_lake import START_MS, land_labels
from bdp_assets_tests.unit.operations.shadow.conftest import A_DAY, DAYS

LAST = START + timedelta(days=DAYS - 1)
DELAY = 4


@pytest.fixture
def settings(tmp_path: Path, lake: Lake) -> Settings:
    return Settings(home=tmp_path, lake_url=lake.url, label_delay_days=DELAY)


@pytest.fixture
def shadowed(lake: Lake, challenger: Decider) -> Lake:
    lake.append(TABLE, shadow_days(lake, challenger, START, LAST).rows)
    return lake


def trained_until(info: ModelInfo, days: int) -> ModelInfo:
    return msgspec.structs.replace(info, train_end_ms=START_MS + days * 86_400_000)


def cost(decision: Decision, probability: float, amount: int) -> float:
    match decision:
        case Decision.APPROVE:
            return probability * amount
        case Decision.DECLINE:
            return (1 - probability) * COSTS.false_decline_minor
        case _:
            return COSTS.review_minor


def test_counts_rates_and_costs_are_what_loops_find(
    settings: Settings, shadowed: Lake, challenger: Decider, decided: list[Prediction]
) -> None:
    found = compare_shadow(settings, challenger.info)
    would = [challenger.decide_again(one) for one in decided]
    assert (found.challenger, found.champions) == ("2", ("1",))
    assert (found.first, found.last, len(found.rows)) == (START, LAST, len(decided))
    assert found.changed == sum(
        one.decision != other.decision for one, other in zip(decided, would, strict=True)
    )

    pairs = Counter(
        (one.decision.value, other.decision.value) for one, other in zip(decided, would, strict=True)
    )
    table = changes_table(found)
    assert {row[:2]: row[2] for row in table.iter_rows()} == dict(pairs)
    assert table["amount"].sum() == pytest.approx(sum(one.amount_base_minor for one in decided) / 100)

    sides = {
        "champion": [(one.decision, one.fraud_probability) for one in decided],
        "challenger": [(one.decision, one.probability) for one in would],
    }
    amounts = [one.amount_base_minor for one in decided]
    figures = {row["figure"]: row for row in live_table(found).iter_rows(named=True)}
    for name, rows in sides.items():
        decisions = Counter(decision for decision, _ in rows)
        expected = sum(cost(*row, amount) for row, amount in zip(rows, amounts, strict=True)) / DAYS / 100
        assert figures["reviewed"][name] == decisions[Decision.REVIEW]
        assert figures["decline rate"][name] == decisions[Decision.DECLINE] / len(decided)
        assert figures["mean score"][name] == pytest.approx(sum(p for _, p in rows) / len(decided))
        assert figures["expected cost a day, by its own scores"][name] == pytest.approx(expected)
    apart = sorted(
        other.probability - one.fraud_probability for one, other in zip(decided, would, strict=True)
    )
    assert differences_table(found)["difference"].is_sorted()
    assert differences_table(found)["difference"].to_list()[2] in apart


def test_who_was_right_is_judged_on_matured_labels_alone(
    settings: Settings,
    shadowed: Lake,
    challenger: Decider,
    decided: list[Prediction],
    frauds: list[Prediction],
) -> None:
    land_labels(shadowed, frauds)
    found = compare_shadow(settings, trained_until(challenger.info, 2))
    # It learned from the first two days, and of the last four labels are not due.
    days = [START + timedelta(days=n) for n in range(2, DAYS - DELAY)]
    judged = decided[2 * A_DAY : (DAYS - DELAY) * A_DAY]
    known = {one.transaction_id for one in frauds}
    is_fraud = [one.transaction_id in known for one in judged]
    assert found.matured is not None
    assert (found.matured.first, found.matured.last) == (days[0], days[-1])
    assert (found.matured.transactions, found.matured.frauds) == (len(judged), sum(is_fraud))

    table = {row["figure"]: row for row in matured_table(found.matured).iter_rows(named=True)}
    would = [challenger.decide_again(one) for one in judged]
    sides = {
        "champion": [(one.decision, one.fraud_probability) for one in judged],
        "challenger": [(one.decision, one.probability) for one in would],
    }
    for name, rows in sides.items():
        scores = [score for _, score in rows]
        realised = sum(
            cost(decision, float(fraud), one.amount_base_minor)
            for (decision, _), fraud, one in zip(rows, is_fraud, judged, strict=True)
        )
        assert table["average precision"][name] == pytest.approx(average_precision_score(is_fraud, scores))
        assert table["auc"][name] == pytest.approx(roc_auc_score(is_fraud, scores))
        assert table["cost a day"][name] == pytest.approx(realised / len(days) / 100)
    for row in table.values():
        assert row["difference"] == pytest.approx(row["challenger"] - row["champion"])
        assert row["low"] <= row["high"]


def test_before_labels_are_due_it_says_what_it_waits_for(
    settings: Settings, shadowed: Lake, challenger: Decider, frauds: list[Prediction]
) -> None:
    unlabelled = compare_shadow(settings, challenger.info)
    assert unlabelled.matured is None
    assert f"labels are due until {LAST - timedelta(days=DELAY)}" in unlabelled.waits
    land_labels(shadowed, frauds)
    learned = compare_shadow(settings, trained_until(challenger.info, DAYS))
    assert learned.matured is None
    assert f"from {LAST + timedelta(days=1)} on" in learned.waits
    assert not learned.waits.endswith(".")


def test_the_latest_days_are_compared(settings: Settings, shadowed: Lake, challenger: Decider) -> None:
    found = compare_shadow(settings, challenger.info, days=2)
    assert (found.first, len(found.rows)) == (LAST - timedelta(days=1), 2 * A_DAY)


def test_rows_of_other_challengers_do_not_count(
    settings: Settings, shadowed: Lake, challenger: Decider, champion: Decider
) -> None:
    other = shadowed.read(TABLE).with_columns(challenger_version=pl.lit("9"), challenger_score=0.5)
    shadowed.append(TABLE, other)
    found: Comparison = compare_shadow(settings, challenger.info)
    assert len(found.rows) == DAYS * A_DAY
    with pytest.raises(NothingCompared, match="challenger 1 has scored no live decision yet"):
        compare_shadow(settings, champion.info)
