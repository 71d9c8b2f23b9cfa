"""A comparison as tables, for Dagster's pages and for a terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import polars as pl

from bdp_assets.operations.shadow.comparison import CHALLENGER, CHAMPION, SIDES, Comparison, Matured
from bdp_assets.training.bootstrap import Difference
from bdp_assets.training.contest import DAILY_COST

QUANTILES = (0.01, 0.05, 0.5, 0.95, 0.99)


def live_table(compared: Comparison) -> pl.DataFrame:
    """figure, challenger, champion: what needs no label. Costs in major units."""
    count = len(compared.rows)
    sides = [compared.sides[name] for name in SIDES]
    figures: dict[str, list[Any]] = {
        "reviewed": [side.reviewed for side in sides],
        "declined": [side.declined for side in sides],
        "review rate": [side.reviewed / count for side in sides],
        "decline rate": [side.declined / count for side in sides],
        "mean score": [compared.rows[f"{name}_score"].mean() for name in SIDES],
        "expected cost a day, by its own scores": [side.expected_cost_a_day_minor / 100 for side in sides],
    }
    rows = [(figure, *map(float, values)) for figure, values in figures.items()]
    return pl.DataFrame(rows, ["figure", CHALLENGER, CHAMPION], orient="row")


def changes_table(compared: Comparison) -> pl.DataFrame:
    """champion's decision, challenger's decision, transactions, amount (major units)."""
    return compared.changes.select(
        pl.col(CHAMPION).alias("champion decided"),
        pl.col(CHALLENGER).alias("challenger would"),
        "transactions",
        (pl.col("amount_minor") / 100).alias("amount"),
    )


def differences_table(compared: Comparison) -> pl.DataFrame:
    """share of the transactions, and the difference of scores (challenger's less champion's) up to there."""
    values = [compared.differences.quantile(share, "nearest") for share in QUANTILES]
    return pl.DataFrame({"share": QUANTILES, "difference": values})


def matured_table(matured: Matured) -> pl.DataFrame:
    """`contest_table` of what labels are due for."""
    return contest_table(matured.figures)


def contest_table(figures: Mapping[str, Difference]) -> pl.DataFrame:
    """figure, challenger, champion, difference, low, high: with labels, and 95% intervals."""
    rows = [
        (name.removesuffix("_minor").replace("_", " "), *_numbers(name, found))
        for name, found in figures.items()
    ]
    columns = ["figure", CHALLENGER, CHAMPION, "difference", "low", "high"]
    return pl.DataFrame(rows, columns, orient="row")


def _numbers(name: str, found: Difference) -> list[float]:
    """Money in major units."""
    unit = 100 if name == DAILY_COST else 1
    return [value / unit for value in (found.one, found.other, found.value, found.low, found.high)]
