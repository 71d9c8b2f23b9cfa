from __future__ import annotations

import pytest

from bdp_assets.training.protocols import LATEST, PROTOCOLS, Plan, Protocol, plan_of
from bdp_assets.training.split import DAY_MS, Split, TrainingError

HANDBOOK = PROTOCOLS["handbook"]


def test_the_latest_days_by_default() -> None:
    split, cut = LATEST.windows(200 * DAY_MS + 5, 7)
    assert cut == 201 * DAY_MS
    assert split == Split.before(cut, delay_days=7, train_days=28, test_days=7)


def test_a_cut_of_ones_own() -> None:
    split, cut = Plan(Protocol(10, 3), cut_ms=150 * DAY_MS).windows(200 * DAY_MS, 5)
    assert cut == 150 * DAY_MS
    assert split == Split.before(cut, delay_days=5, train_days=10, test_days=3)


def test_the_handbooks_begins_where_it_is_told_and_waits_a_week_twice() -> None:
    split, cut = Plan(HANDBOOK, start_ms=100 * DAY_MS).windows(900 * DAY_MS, 3)
    assert split == Split.starting(100 * DAY_MS, train_days=7, delay_days=7, test_days=7)
    assert cut == 128 * DAY_MS


def test_a_cut_before_the_tests_labels_are_due_is_refused() -> None:
    # The test ends on day 121, and labels take a week: day 128, 9 May.
    early = Plan(HANDBOOK, start_ms=100 * DAY_MS, cut_ms=127 * DAY_MS)
    with pytest.raises(TrainingError, match="the earliest --cut is 1970-05-09"):
        early.windows(900 * DAY_MS, 7)
    due = Plan(HANDBOOK, start_ms=100 * DAY_MS, cut_ms=128 * DAY_MS)
    assert due.windows(900 * DAY_MS, 7).cut_ms == 128 * DAY_MS


@pytest.mark.parametrize("delay", [8, 14])
def test_a_protocol_that_does_not_wait_for_labels_is_refused(delay: int) -> None:
    plan = Plan(HANDBOOK, start_ms=100 * DAY_MS)
    with pytest.raises(TrainingError, match=f"labels take {delay} days here and this protocol waits 7"):
        plan.windows(900 * DAY_MS, delay)
    assert plan.windows(900 * DAY_MS, 7).cut_ms == 128 * DAY_MS


def test_a_test_that_the_data_does_not_reach_the_end_of_is_refused() -> None:
    # The test is from day 114 to 121: 2 May.
    plan = Plan(HANDBOOK, start_ms=100 * DAY_MS)
    with pytest.raises(TrainingError, match=r"ends at 1970-05-01, before its test does .* is 1970-04-10"):
        plan.windows(120 * DAY_MS - 1, 7)
    assert plan.windows(121 * DAY_MS - 1, 7).split.test_days == 7


def test_the_handbooks_without_a_start_is_told() -> None:
    with pytest.raises(TrainingError, match="--start"):
        Plan(HANDBOOK).windows(900 * DAY_MS, 7)


def test_lengths_that_are_given_replace_the_protocols_own() -> None:
    assert plan_of("default") == LATEST
    chosen = plan_of("handbook", start_ms=DAY_MS, test_days=3)
    assert (chosen.protocol.train_days, chosen.protocol.test_days, chosen.start_ms) == (7, 3, DAY_MS)
    assert chosen.protocol.starts
