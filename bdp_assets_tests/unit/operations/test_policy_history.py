"""Which transactions policies are judged by, and that they say why there are none."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from bdp_assets.clients.lake import Lake, TableMissing
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations.policy_history import scored_history
from bdp_assets.operations.rule_history import NothingToTest
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.ensemble import Ensemble
from bdp_assets_tests.fakes.scored_lake import START, append, scored_lake
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle

DELAY = timedelta(days=7)
DAY_MS = 86_400_000
A_DAY = 60


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return Bundle.read(tiny_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture(scope="module")
def ensemble(bundle: Bundle) -> Ensemble:
    return Ensemble.of(bundle)


@pytest.fixture
def lake(tmp_path: Path) -> Lake:
    return scored_lake(tmp_path / "lake", days=12, a_day=A_DAY)


def trained_until(bundle: Bundle, days: float) -> Ensemble:
    """The same model, which says that it learned from what happened until that many days after START."""
    end_ms = bundle.info.trained_at_ms + int(days * DAY_MS)
    training = msgspec.structs.replace(bundle.manifest.training, train_end_ms=end_ms)
    return Ensemble.of(
        Bundle.of(training, bundle.manifest.members, bundle.manifest.calibration, bundle.files)
    )


@pytest.mark.parametrize(
    ("learned_days", "days", "expected"),
    [
        (0, 28, (0, 4)),  # of the last seven of twelve days, labels are not due yet
        (0, 2, (3, 4)),
        (3, 28, (3, 4)),
        (3.5, 28, (4, 4)),
        (-30, 28, (0, 4)),
    ],
)
def test_days_after_training_whose_labels_are_due(
    lake: Lake, bundle: Bundle, learned_days: float, days: int, expected: tuple[int, int]
) -> None:
    first, last = expected
    history = scored_history(lake, trained_until(bundle, learned_days), DELAY, days)
    assert (history.first, history.last) == (START + timedelta(days=first), START + timedelta(days=last))
    assert (history.days, len(history.rows)) == (last - first + 1, (last - first + 1) * A_DAY)


def test_an_old_bundle_learned_from_nothing_after_it_was_trained(lake: Lake, ensemble: Ensemble) -> None:
    assert ensemble.info.train_end_ms is None
    assert scored_history(lake, ensemble, DELAY, 28).first == START


def test_rows_carry_the_models_probability_and_what_is_known_now(lake: Lake, ensemble: Ensemble) -> None:
    day = lake.read("enriched", dates=(START, START)).sort("transaction_id")
    key = day.select("customer_id", "transaction_id").row(0, named=True)
    taken_back = pl.DataFrame({**key, "is_fraud": False, "known_at_ms": 2**50, EVENT_DATE: date(2026, 2, 1)})
    before = scored_history(lake, ensemble, DELAY, 28)
    append(lake, "labels", taken_back.with_columns(is_fraud=pl.lit(value=True), known_at_ms=2**49))
    claimed = scored_history(lake, ensemble, DELAY, 28)
    append(lake, "labels", taken_back)
    settled = scored_history(lake, ensemble, DELAY, 28)
    assert 0 < before.frauds <= claimed.frauds
    assert settled.frauds == claimed.frauds - 1

    scores = np.sort(ensemble.score(day.select(CATALOG.names).to_numpy()))
    first = settled.rows.filter(pl.col(EVENT_DATE) == START)
    assert np.sort(first["probability"].to_numpy()).tolist() == scores.tolist()
    assert sorted(first["amount_base_minor"]) == sorted(day["amount_base_minor"])


def test_features_of_another_catalog_are_left_out_and_counted(lake: Lake, ensemble: Ensemble) -> None:
    some = lake.read("enriched", dates=(START, START)).head(3)
    append(lake, "enriched", some.with_columns(catalog_version=pl.lit("other")))
    history = scored_history(lake, ensemble, DELAY, 28)
    assert (history.left_out, len(history.rows)) == (3, 5 * A_DAY)


def test_where_there_is_nothing_it_says_why(
    lake: Lake, ensemble: Ensemble, bundle: Bundle, tmp_path: Path
) -> None:
    with pytest.raises(TableMissing, match="no table enriched"):
        scored_history(Lake(str(tmp_path / "none")), ensemble, DELAY, 28)
    with pytest.raises(
        NothingToTest, match=r"may have learned from transactions until 2026-01-05.*until 2026-01-05"
    ):
        scored_history(lake, trained_until(bundle, 5), DELAY, 28)
    with pytest.raises(NothingToTest, match="no label is known of the 300 transactions"):
        scored_history(scored_lake(tmp_path / "a", days=12, labels=False), ensemble, DELAY, 28)
    strange = Lake(str(tmp_path / "b"))
    append(strange, "enriched", lake.read("enriched").with_columns(catalog_version=pl.lit("other")))
    with pytest.raises(NothingToTest, match="materialise features anew"):
        scored_history(strange, ensemble, DELAY, 28)
    empty = Lake(str(tmp_path / "c"))
    append(empty, "enriched", lake.read("enriched").clear())
    with pytest.raises(NothingToTest, match="no enriched transactions yet"):
        scored_history(empty, ensemble, DELAY, 28)
