from __future__ import annotations

import polars as pl
import pytest

from bdp_assets.monitoring.performance.pictures import reliability_png, segments_png

PNG = b"\x89PNG"


@pytest.mark.filterwarnings("error")
def test_curves_are_drawn_with_bins_that_log_axes_have_no_place_for() -> None:
    bins = [{"predicted": 0.0, "observed": 0.0, "rows": 5}, {"predicted": 0.3, "observed": 0.25, "rows": 9}]
    assert reliability_png({"champion 1": bins, "challenger 2": []}).startswith(PNG)


@pytest.mark.filterwarnings("error")
def test_a_segment_without_a_share_is_drawn_empty() -> None:
    rows = {"segment": ["all", "time"], "member": ["all", "night"], "precision": [0.5, None]}
    assert segments_png(pl.DataFrame({**rows, "recall": [0.2, 1.0]})).startswith(PNG)
