"""Planted leaks, each caught with the feature or rows it is in; and honest data, which is left in peace."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.features.formulas import LABEL_FILTER
from bdp_assets.features.spec import WindowFeature
from bdp_assets.training.early_labels import History, early_labels
from bdp_assets.training.leaks import LeakFound, Leaks, look_for_leaks
from bdp_assets.training.split import TrainingData, TrainingError
from bdp_assets_tests.unit.training.leaky import fold
from benchmarks.model.plants import EARLY_LABELS, next_week, split_at_random, with_features_of

DELAY = 7
COUNTED = {n for n in CATALOG.names if n.startswith(("merchant_frauds_", "merchant_fraud_share_"))}


def reading_labels() -> set[str]:
    """Features that do so by the catalog, themselves or by what they are made of."""
    found: set[str] = set()
    for feature in CATALOG.features:
        own = isinstance(feature, WindowFeature) and feature.filter == LABEL_FILTER
        if own or found & set(getattr(feature, "inputs", ())):
            found.add(feature.name)
    return found


@pytest.fixture(scope="module")
def honest() -> tuple[TrainingData, History]:
    return fold()


def named(leaks: Leaks, count: str) -> set[str]:
    return set(leaks.features.filter(pl.col(count) > 0)["feature"])


def test_honest_data_has_no_leak(honest: tuple[TrainingData, History]) -> None:
    leaks = look_for_leaks(*honest, DELAY)
    assert leaks.found == []
    leaks.refuse()
    assert leaks.features["feature"].to_list() == list(CATALOG.names)
    assert leaks.features["compared"].to_list() == [200] * len(CATALOG.names)


@pytest.mark.parametrize("leak", EARLY_LABELS)
def test_code_that_reads_labels_too_early_is_caught(leak: str, honest: tuple[TrainingData, History]) -> None:
    data, history = honest
    found = Leaks(early_labels(data.features, history, build=EARLY_LABELS[leak]))
    assert COUNTED <= named(found, "moved") <= reading_labels()
    with pytest.raises(
        LeakFound, match=r"read labels nobody knew yet: merchant_fraud\w+ \(\d+ of 200 rows\)"
    ):
        found.refuse()


@pytest.mark.parametrize("leak", EARLY_LABELS)
def test_stored_features_that_read_labels_too_early_are_caught(
    leak: str, honest: tuple[TrainingData, History]
) -> None:
    data, history = honest
    found = look_for_leaks(with_features_of(EARLY_LABELS[leak], data, history), history, DELAY)
    assert named(found, "moved") == named(found, "ahead") == set()
    differing = named(found, "differs")
    assert COUNTED <= differing <= reading_labels()
    with pytest.raises(TrainingError, match="do not follow from what was known at their time: merchant_fr"):
        found.refuse()


def test_code_that_reads_later_transactions_is_caught(honest: tuple[TrainingData, History]) -> None:
    data, history = honest
    found = Leaks(early_labels(data.features, history, build=next_week))
    assert (named(found, "moved"), named(found, "ahead")) == (set(), {"customer_count_7d"})
    with pytest.raises(LeakFound, match=r"later than their own: customer_count_7d \(\d+ of 200 rows\)"):
        found.refuse()


def test_stored_features_that_read_later_transactions_are_caught(
    honest: tuple[TrainingData, History],
) -> None:
    data, history = honest
    found = look_for_leaks(with_features_of(next_week, data, history), history, DELAY)
    assert (named(found, "ahead"), named(found, "differs")) == (set(), {"customer_count_7d"})


def test_a_millisecond_too_early_is_caught(honest: tuple[TrainingData, History]) -> None:
    """With the Handbook's features: ours floor their clocks to days."""
    data, history = honest

    def exact(
        transactions: pl.DataFrame, labels: pl.DataFrame | None, *, only: pl.Series | None
    ) -> pl.DataFrame:
        return build_features(transactions, labels, HANDBOOK, only=only)

    def hasty(
        transactions: pl.DataFrame, labels: pl.DataFrame | None, *, only: pl.Series | None
    ) -> pl.DataFrame:
        assert labels is not None
        return exact(transactions, labels.with_columns(pl.col("known_at_ms") - 1), only=only)

    asked = history.transactions["ts_ms"] >= data.split.train_start_ms
    stored = exact(*history, only=asked)
    assert Leaks(early_labels(stored, history, build=exact, catalog=HANDBOOK)).found == []
    found = Leaks(early_labels(stored, history, build=hasty, catalog=HANDBOOK))
    assert named(found, "moved") == {f"TERMINAL_ID_RISK_{days}DAY_WINDOW" for days in (1, 7, 30)}


def test_a_feature_that_holds_the_own_label_is_caught_wherever_it_hides(
    honest: tuple[TrainingData, History],
) -> None:
    data, history = honest
    own = data.features.join(history.labels, on=["customer_id", "transaction_id"], how="left")
    hidden = pl.col("hour") + pl.col("is_fraud").cast(pl.Float64) * 1e-9
    told = replace(data, features=own.with_columns(hour=hidden).select(data.features.columns))
    leaks = look_for_leaks(told, history, DELAY)
    assert named(leaks, "differs") == {"hour"}
    assert "hour (" in leaks.found[0]


def test_a_random_split_is_caught_and_what_it_breaks_is_told(honest: tuple[TrainingData, History]) -> None:
    data, history = honest
    leaks = look_for_leaks(split_at_random(data), history, DELAY)
    assert any("a split must be in time" in sentence for sentence in leaks.split)
    with pytest.raises(LeakFound, match="not 7 days older than the first test row"):
        leaks.refuse()


def test_labels_from_before_their_transaction_are_told(honest: tuple[TrainingData, History]) -> None:
    data, history = honest
    early = history.labels.with_columns(known_at_ms=pl.col("known_at_ms") - 8 * 86_400_000)
    leaks = look_for_leaks(data, History(history.transactions, early), DELAY)
    assert leaks.labels == (
        "40,000 labels say that they were known before their transaction: mend known_at_ms",
    )


def test_nothing_to_compare_is_no_leak(honest: tuple[TrainingData, History]) -> None:
    data, history = honest
    nothing = early_labels(data.features.clear(), history)
    assert nothing["compared"].sum() == 0
    assert Leaks(nothing).found == []
