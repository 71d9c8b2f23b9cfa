"""Figures of each model in each segment, and of two models on the same transactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.decisions.policy import Costs
from bdp_assets.features.catalog import AMOUNT
from bdp_assets.monitoring.performance.counts import brier, count
from bdp_assets.monitoring.performance.segments import ALL, Part, parts
from bdp_assets.training.bootstrap import Difference, paired
from bdp_assets.training.contest import AP, figures
from bdp_assets.training.evaluate import calibration_curve, calibration_error, card_precision
from bdp_assets.training.outcomes import Outcomes
from bdp_assets.training.split import DAY_MS
from bdp_assets.training.weighted import Ranking

Doubles = NDArray[np.float64]
CHAMPION, CHALLENGER, RIVAL = "champion", "challenger", "rival"
"""Who decided; who was in the shadow; and who decided, on the transactions that this challenger scored."""

SCHEMA: Mapping[str, pl.DataType] = {
    "role": pl.String(),
    "model_version": pl.String(),
    "segment": pl.String(),
    "member": pl.String(),
    "transactions": pl.Int64(),
    "frauds": pl.Int64(),
    "flagged": pl.Int64(),
    "frauds_flagged": pl.Int64(),
    "average_precision": pl.Float64(),
    "average_precision_low": pl.Float64(),
    "average_precision_high": pl.Float64(),
    "precision": pl.Float64(),
    "recall": pl.Float64(),
    "false_positive_rate": pl.Float64(),
    "card_precision": pl.Float64(),
    "brier": pl.Float64(),
    "calibration_error": pl.Float64(),
    "saved_minor": pl.Int64(),
    "lost_minor": pl.Int64(),
    "spent_minor": pl.Int64(),
    "reliability": pl.String(),
}
"""Of the figures; `reliability` is JSON: the bins of `calibration_curve`. What is of all rows or not at all
(interval, card precision, reliability) is null in segments, a share of nothing is null everywhere."""


@dataclass(frozen=True)
class Judged:
    """A model and rows that it is judged by: of `served`, with its own probability and decisions in them."""

    role: str
    model_version: str
    rows: pl.DataFrame


def measured(judged: Judged, costs: Costs) -> pl.DataFrame:
    """A row (SCHEMA) for all transactions and for each member of each segment that has some."""
    who = {"role": judged.role, "model_version": judged.model_version}
    found = [{**who, **_figures(part, costs)} for part in parts(judged.rows)]
    return pl.DataFrame(found, schema=SCHEMA)


def _figures(part: Part, costs: Costs) -> dict[str, Any]:
    rows = part.rows
    probability, fraud = rows["probability"].to_numpy(), rows["is_fraud"].to_numpy()
    counts = count(rows["decided"].to_numpy(), fraud, rows[AMOUNT].to_numpy(), costs)
    rates = {name: getattr(counts, name) for name in ("precision", "recall", "false_positive_rate")}
    return {
        "segment": part.segment,
        "member": part.member,
        **vars(counts),
        **rates,
        "average_precision": _average_precision(probability, fraud) if fraud.any() else None,
        "brier": brier(probability, fraud),
        "calibration_error": calibration_error(probability, fraud),
        **(_of_all(rows, costs) if part.segment == ALL else {}),
    }


def _average_precision(probability: Doubles, fraud: NDArray[np.bool_]) -> float:
    return Ranking(probability, fraud).average_precision(np.ones(len(fraud)))


def _of_all(rows: pl.DataFrame, costs: Costs) -> dict[str, Any]:
    probability, fraud = rows["probability"].to_numpy(), rows["is_fraud"].to_numpy()
    low, high = _interval(rows["customer_id"], Ranking(probability, fraud)) if fraud.any() else (None, None)
    bins = calibration_curve(probability, fraud).to_dicts()
    return {
        "average_precision_low": low,
        "average_precision_high": high,
        "card_precision": card_precision(rows, costs.reviews_per_day) if costs.reviews_per_day else None,
        "reliability": msgspec.json.encode(bins).decode(),
    }


def _interval(customers: pl.Series, ranking: Ranking) -> tuple[float, float]:
    found = paired(customers, {AP: (ranking.average_precision, lambda times: 0.0)})[AP]
    return found.low, found.high


def contest(rows: pl.DataFrame, costs: Costs) -> dict[str, Difference]:
    """A challenger (`one`) and who decided on the same rows, of `shadowed`, with frauds among them."""
    one, other = (
        figures(_outcomes(side), side["decided"].to_numpy(), costs) for side in (_as_challenger(rows), rows)
    )
    return paired(rows["customer_id"], {name: (one[name], other[name]) for name in one})


def in_shadow(version: str, rows: pl.DataFrame) -> Iterator[Judged]:
    """A challenger, and who decided, on rows of `shadowed`."""
    yield Judged(CHALLENGER, version, _as_challenger(rows))
    yield Judged(RIVAL, version, rows)


def _as_challenger(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.with_columns(
        probability=pl.col("challenger_probability"), decided=pl.col("challenger_decided")
    )


def _outcomes(rows: pl.DataFrame) -> Outcomes:
    days = (rows["ts_ms"] // DAY_MS).n_unique()
    amounts = rows[AMOUNT].cast(pl.Float64).to_numpy()
    return Outcomes(rows["probability"].to_numpy(), amounts, rows["is_fraud"].to_numpy(), days)
