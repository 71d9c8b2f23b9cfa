"""What a back-test reads of the lake: a day's transactions, what became known of them, who flagged them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.decisions.policy import FLAGGED
from bdp_assets.decisions.rules import RuleCatalog
from bdp_assets.features.catalog import AMOUNT, CATALOG
from bdp_assets.ingest.tables import rows

KEY = ("customer_id", "transaction_id")
Bools = NDArray[np.bool_]
Doubles = NDArray[np.float64]
Flags = Callable[[Doubles, Doubles], Bools]
"""Which rows, by features and amounts, model and policy would not approve: `Decider.flags`."""


class NothingToTest(ValueError):  # noqa: N818 - read as what it is
    """No transaction lies in the range; the message says what to do."""


def days_of(
    lake: Lake, dates: tuple[date | None, date | None], label_delay: timedelta
) -> tuple[date, date, list[date]]:
    """First and last day, and those between that have transactions."""
    days: list[date] = (
        lake.scan("enriched").select(EVENT_DATE).unique().collect()[EVENT_DATE].sort().to_list()
    )
    if not days:
        raise NothingToTest("the lake has no enriched transactions yet: materialise them, or run `make demo`")
    first = dates[0] or days[0]
    last = dates[1] or max(first, days[-1] - label_delay)
    if first > last:
        raise NothingToTest(f"the days {first} to {last} are none: the first comes after the last")
    return first, last, [day for day in days if first <= day <= last]


def columns_read(catalogs: Iterable[RuleCatalog], flags: Flags | None) -> list[str]:
    read = {field for catalog in catalogs for rule in catalog.rules for field in rule.fields}
    return list(dict.fromkeys((*KEY, AMOUNT, *sorted(read), *(CATALOG.names if flags else ()))))


def read_day(lake: Lake, today: date, columns: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """A day's transactions with `is_fraud` and `is_flagged` (null: undecided), and how many are left out."""
    enriched = rows(lake, "enriched", [*columns, "catalog_version"], (today, today))
    fits = enriched.filter(pl.col("catalog_version") == CATALOG.version).drop("catalog_version")
    day = fits.join(_flagged(lake, today), on=KEY, how="left", maintain_order="left")
    day = day.join(labels_of(lake, fits), on=KEY, how="left", maintain_order="left")
    return day.with_columns(pl.col("is_fraud").fill_null(value=False)), len(enriched) - len(fits)


def _flagged(lake: Lake, today: date) -> pl.DataFrame:
    """Whether the policy alone did not approve: its reason says so, whatever rules made of it since."""
    decided = rows(lake, "predictions", [*KEY, "reasons"], (today, today))
    said = pl.col("reasons").str.contains_any([f'"code":"{code}"' for code in FLAGGED])
    return decided.select(*KEY, said.alias("is_flagged")).unique(KEY, keep="any")


def with_flags(day: pl.DataFrame, flags: Flags | None) -> pl.DataFrame:
    """With `is_flagged` of every row."""
    found = day["is_flagged"].fill_null(value=False).to_numpy().copy()
    missing = day["is_flagged"].is_null().to_numpy()
    if flags is not None and missing.any():
        asked = day.filter(missing)
        amounts = asked[AMOUNT].cast(pl.Float64).to_numpy()
        found[missing] = flags(asked.select(CATALOG.names).to_numpy(), amounts)
    return day.with_columns(pl.Series("is_flagged", found, dtype=pl.Boolean))


def labels_of(lake: Lake, day: pl.DataFrame) -> pl.DataFrame:
    """The latest label of each of these transactions: a reversal takes one back."""
    if not lake.exists("labels"):
        return rows(lake, "labels", [*KEY, "is_fraud"])
    known = lake.scan("labels").select(*KEY, "known_at_ms", "is_fraud")
    ours = known.join(day.lazy().select(KEY), on=KEY, how="semi")
    latest = ours.sort("known_at_ms", "is_fraud").unique(KEY, keep="last", maintain_order=True)
    return latest.select(*KEY, "is_fraud").collect()
