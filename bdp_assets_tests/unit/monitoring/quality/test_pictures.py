from __future__ import annotations

from datetime import UTC, date, datetime

import numpy as np
import pytest

from bdp_assets.monitoring.quality.findings import Check, Score
from bdp_assets.monitoring.quality.hours import judge
from bdp_assets.monitoring.quality.measures import counts
from bdp_assets.monitoring.quality.pictures import hours_png, scores_png
from bdp_assets.monitoring.quality.season import SEASON, WEEK_HOURS

START, DAY = datetime(2026, 1, 5, tzinfo=UTC), date(2026, 1, 5)


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("weeks", [1, SEASON.weeks])
def test_hours_are_drawn_whether_they_can_be_judged_or_not(weeks: int) -> None:
    judged = judge("raw", Check.VOLUME, START, counts(np.full(weeks * WEEK_HOURS, 40.0)))
    assert hours_png(judged).startswith(b"\x89PNG")


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    "made",
    [[], [Score("raw", DAY, None, None), Score("labels", DAY, 99.5, Check.NULLS)]],
    ids=["none", "two"],
)
def test_scores_are_drawn_whether_there_are_any_or_not(made: list[Score]) -> None:
    assert scores_png(made).startswith(b"\x89PNG")
