from __future__ import annotations

import polars as pl
import pytest

from bdp_assets.ingest.tables import TABLES
from bdp_assets.monitoring.pictures import scores_png


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("rows", [4, 1, 0])
def test_scores_are_drawn_however_many_there_are(rows: int) -> None:
    decided = ["approve", "approve", "review", "decline"]
    scores = pl.DataFrame({"fraud_probability": [0.0, 0.2, 0.2, 1.0], "decision": decided})
    schema = {name: TABLES["scores"][name] for name in scores.columns}
    assert scores_png(scores.cast(schema).head(rows)).startswith(b"\x89PNG")  # type: ignore[arg-type]
