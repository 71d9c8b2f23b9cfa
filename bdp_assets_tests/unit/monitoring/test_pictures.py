from __future__ import annotations

import polars as pl
import pytest

from bdp_assets.decisions.policy import make_policy
from bdp_assets.monitoring.pictures import scores_png


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("probabilities", [[0.0, 0.2, 0.2, 1.0], []])
def test_scores_are_drawn_however_many_there_are(probabilities: list[float]) -> None:
    drawn = scores_png(pl.Series(probabilities, dtype=pl.Float64), make_policy(0.1, 1.0000001))
    assert drawn.startswith(b"\x89PNG")
