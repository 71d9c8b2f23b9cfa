"""Which live decisions a challenger scores, once, and from the vectors that they carry."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.contracts.records import Decision, ListHit, ListKind, ListName, Prediction
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.policy import make_policy
from bdp_assets.ingest.audit import audit
from bdp_assets.operations.shadow import scores
from bdp_assets.operations.shadow.scores import (
    ITSELF,
    NO_FEATURES,
    OTHER_CATALOG,
    Shadow,
    shadow_days,
    untouched,
)
from bdp_assets_tests.fakes.scored_lake import START
from bdp_assets_tests.fakes.shadow_lake import land
from bdp_assets_tests.unit.operations.decision_records.conftest import changed
from bdp_assets_tests.unit.operations.shadow.conftest import A_DAY, DAYS

LAST = START + timedelta(days=DAYS - 1)


def write(lake: Lake, shadow: Shadow) -> None:
    """As the IO manager does."""
    lake.replace(scores.TABLE, shadow.rows, f"{EVENT_DATE} >= '{START}' AND {EVENT_DATE} <= '{LAST}'")


def test_each_live_decision_is_scored_as_the_challenger_would_alone(
    lake: Lake, decided: list[Prediction], challenger: Decider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scores, "CHUNK", 7)
    shadow = shadow_days(lake, challenger, START, LAST)
    assert audit(scores.TABLE, shadow.rows).is_empty()
    assert (shadow.scored, len(shadow.rows), shadow.left_out) == (DAYS * A_DAY, DAYS * A_DAY, {})
    rows = {row["transaction_id"]: row for row in shadow.rows.iter_rows(named=True)}
    for one in decided:
        row, alone = rows[one.transaction_id], challenger.decide_again(one)
        assert (row["challenger_score"], row["challenger_decision"]) == (alone.probability, alone.decision)
        assert (row["champion_score"], row["champion_decision"]) == (one.fraud_probability, one.decision)
        assert (row["champion_version"], row["challenger_version"]) == ("1", "2")
    assert shadow.rows.filter(pl.col("champion_decision") != pl.col("challenger_decision")).height > 10


def test_lists_have_no_say_on_either_side(lake: Lake, decided: list[Prediction], challenger: Decider) -> None:
    """A block declines and an allowance approves whatever the model: no difference between models."""
    hits = {
        Decision.DECLINE: ListHit("b" * 12, ListName.BLOCK, ListKind.CUSTOMER),
        Decision.APPROVE: ListHit("a" * 12, ListName.ALLOW, ListKind.CUSTOMER),
    }
    listed = [
        msgspec.structs.replace(
            one,
            customer_id="listed",
            transaction_id=f"{one.transaction_id}-{said}",
            decision=said,
            decision_without_lists=one.decision,
            list_hits=[hit],
        )
        for one in decided
        for said, hit in hits.items()
    ]
    land(lake, listed)
    found = shadow_days(lake, challenger, START, LAST).rows
    own = {one.transaction_id: one.decision for one in decided}
    rows = found.filter(customer_id="listed").to_dicts()
    assert len(rows) == 2 * len(decided)
    would = dict(found.select("transaction_id", "challenger_decision").iter_rows())
    for row in rows:
        transaction, _, _ = row["transaction_id"].rpartition("-")
        assert row["champion_decision"] == own[transaction]
        assert row["challenger_decision"] == would[transaction]


def test_what_was_scored_is_left_and_what_landed_since_is_added(
    lake: Lake, decided: list[Prediction], champion: Decider, challenger: Decider
) -> None:
    first = shadow_days(lake, challenger, START, LAST)
    write(lake, first)
    again = shadow_days(lake, challenger, START, LAST)
    assert again.scored == 0
    assert_frame_equal(again.rows, first.rows, check_row_order=False)

    land(lake, [*changed(decided[:3], transaction_id="late"), decided[0]])
    later = shadow_days(lake, challenger, START, LAST)
    assert (later.scored, len(later.rows)) == (3, len(first.rows) + 3)
    assert untouched(lake, START, START).rows.height == A_DAY
    assert shadow_days(lake, challenger, LAST, LAST).rows[EVENT_DATE].unique().to_list() == [LAST]


def test_another_policy_scores_anew_and_another_challenger_beside(
    lake: Lake, champion: Decider, challenger: Decider
) -> None:
    write(lake, shadow_days(lake, challenger, START, LAST))
    strict = Decider(challenger.ensemble, make_policy(0.0, 0.0), challenger._paths)
    anew = shadow_days(lake, strict, START, LAST)
    assert (anew.scored, len(anew.rows)) == (DAYS * A_DAY, DAYS * A_DAY)
    assert anew.rows["challenger_decision"].unique().to_list() == ["decline"]
    write(lake, anew)

    # What was version 1 once more, now as a challenger: it decided all of these itself.
    itself = shadow_days(lake, champion, START, LAST)
    assert (itself.scored, itself.left_out) == (0, {ITSELF: DAYS * A_DAY})
    assert_frame_equal(itself.rows, anew.rows, check_row_order=False)


def test_what_can_not_be_compared_is_counted_and_not_scored(
    lake: Lake, decided: list[Prediction], challenger: Decider
) -> None:
    [*some] = decided[:8]
    some_features = dict.fromkeys(challenger.info.feature_names[1:], 1.0)
    land(lake, changed(some[:4], customer_id="a", catalog_version="0123456789ab"))
    land(lake, changed(some[4:6], customer_id="b", features={}))
    land(lake, changed(some[6:7], customer_id="b", features=some_features))
    land(lake, changed(some[7:8], customer_id="b", decided_by="batch"))
    shadow = shadow_days(lake, challenger, START, LAST)
    assert shadow.left_out == {OTHER_CATALOG: 4, NO_FEATURES: 3}
    assert shadow.scored == DAYS * A_DAY
    assert set(shadow.rows["customer_id"]).isdisjoint({"a", "b"})


def test_an_empty_lake_has_no_shadow(lake: Lake, challenger: Decider) -> None:
    nothing = shadow_days(Lake(f"{lake.url}/none"), challenger, START, LAST)
    assert (nothing.rows.height, nothing.scored, nothing.left_out) == (0, 0, {})
    assert audit(scores.TABLE, nothing.rows).is_empty()
