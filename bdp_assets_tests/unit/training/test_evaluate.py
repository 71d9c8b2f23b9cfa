from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from bdp_assets.training.evaluate import calibration_error, card_precision, metrics
from bdp_assets.training.split import DAY_MS, TrainingError


def scored(rows: int = 3_000, seed: int = 0) -> pl.DataFrame:
    random = np.random.default_rng(seed)
    probability = random.random(rows) ** 4
    return pl.DataFrame(
        {
            "customer_id": [f"c{i}" for i in random.integers(0, 400, rows)],
            "ts_ms": random.integers(0, 7 * DAY_MS, rows),
            "is_fraud": random.random(rows) < probability,
            "probability": probability,
        }
    )


def naive_card_precision(frame: pl.DataFrame, top: int) -> float:
    """The Handbook's definition, day by day in plain Python."""
    found: set[str] = set()
    shares = []
    for day in sorted({ts // DAY_MS for ts in frame["ts_ms"]}):
        cards: dict[str, tuple[float, bool]] = {}
        for row in frame.filter(pl.col("ts_ms") // DAY_MS == day).iter_rows(named=True):
            if row["customer_id"] not in found:
                score, fraud = cards.get(row["customer_id"], (0.0, False))
                cards[row["customer_id"]] = max(score, row["probability"]), fraud or row["is_fraud"]
        listed = sorted(cards, key=lambda card: -cards[card][0])[:top]
        hits = [card for card in listed if cards[card][1]]
        found.update(hits)
        shares.append(len(hits) / top)
    return sum(shares) / len(shares)


@pytest.mark.parametrize("top", [1, 10, 100, 1_000])
def test_card_precision_is_the_handbooks(top: int) -> None:
    frame = scored()
    assert card_precision(frame, top) == pytest.approx(naive_card_precision(frame, top))


def test_calibration_error_of_honest_and_of_overconfident_scores() -> None:
    frame = scored(20_000)
    fraud, probability = frame["is_fraud"].to_numpy(), frame["probability"].to_numpy()
    assert calibration_error(probability, fraud) < 0.02
    assert calibration_error(np.minimum(probability * 3, 1), fraud) > 0.1


def test_metrics_of_a_perfect_and_of_a_blind_ranking() -> None:
    frame = scored()
    perfect = metrics(frame.with_columns(probability=pl.col("is_fraud").cast(pl.Float64)))
    assert (perfect["auc"], perfect["average_precision"], perfect["calibration_error"]) == (1, 1, 0)
    blind = metrics(frame.with_columns(probability=pl.lit(0.5)))
    assert blind["auc"] == 0.5
    assert blind["average_precision"] == pytest.approx(frame["is_fraud"].mean())
    assert (blind["test_rows"], blind["test_frauds"]) == (3_000, frame["is_fraud"].sum())


def test_a_test_without_fraud_is_refused() -> None:
    with pytest.raises(TrainingError, match="later cut"):
        metrics(scored().with_columns(is_fraud=pl.lit(value=False)))
