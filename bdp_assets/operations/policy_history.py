"""What policies are judged by: matured transactions that the model did not learn from, scored by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.features.catalog import AMOUNT, CATALOG
from bdp_assets.ingest.tables import rows
from bdp_assets.operations.rule_history import KEY, NothingToTest, labels_of
from bdp_assets.scoring.bundle import ModelInfo
from bdp_assets.scoring.ensemble import Ensemble

PROBABILITY, IS_FRAUD = "probability", "is_fraud"


@dataclass(frozen=True)
class History:
    """Transactions of the days first..last (UTC): event_date, amount_base_minor, probability, is_fraud.

    Of each day all that were decided are here, also those of customers known to be defrauded: they take
    reviewers' time too. A transaction without a label counts as good.
    """

    rows: pl.DataFrame
    left_out: int = 0
    """Transactions with features of another catalog, which the model cannot read."""

    @property
    def days(self) -> int:
        """Days that have transactions."""
        return self.rows[EVENT_DATE].n_unique()

    @property
    def first(self) -> date:
        return self.rows[EVENT_DATE].min()  # type: ignore[return-value]

    @property
    def last(self) -> date:
        return self.rows[EVENT_DATE].max()  # type: ignore[return-value]

    @property
    def frauds(self) -> int:
        return int(self.rows[IS_FRAUD].sum())


def scored_history(lake: Lake, ensemble: Ensemble, label_delay: timedelta, days: int) -> History:
    """The last `days` days after the model's training whose labels are due, scored by the model.

    One day's features are in memory at a time. Raises TableMissing, NothingToTest.
    """
    found = _days(lake, ensemble.info, label_delay)
    scored = [_scored(lake, ensemble, day) for day in found[-days:]]
    history = History(pl.concat([one.rows for one in scored]), sum(one.left_out for one in scored))
    if history.rows.is_empty():
        raise NothingToTest(
            f"the lake has no transactions of feature catalog {CATALOG.version} from {found[0]} to "
            f"{found[-1]}: materialise features anew"
        )
    if history.rows["is_labelled"].sum() == 0:
        raise NothingToTest(
            f"no label is known of the {len(history.rows):,} transactions from {history.first} to "
            f"{history.last}: what decisions cost cannot be said. Land labels (`fraud-labels-v1`) first"
        )
    return history


def _days(lake: Lake, info: ModelInfo, label_delay: timedelta) -> Sequence[date]:
    """Days with transactions that the model did not learn from and whose labels are due, in order."""
    there = lake.scan("enriched").select(EVENT_DATE).unique().collect()[EVENT_DATE].sort().to_list()
    if not there:
        raise NothingToTest("the lake has no enriched transactions yet: materialise them, or run `make demo`")
    first, last = first_unseen(info), there[-1] - label_delay
    found = [day for day in there if first <= day <= last]
    if not found:
        raise NothingToTest(
            f"model {info.version} may have learned from transactions until {first - timedelta(days=1)}, and "
            f"labels are due for those until {last}: no day lies between. Wait for labels, or train with an "
            "earlier cut (`bdp train --cut`)"
        )
    return found


def first_unseen(info: ModelInfo) -> date:
    """The first whole day that the model did not learn from; an old bundle only says when it learned."""
    end_ms = info.trained_at_ms if info.train_end_ms is None else info.train_end_ms
    end = datetime.fromtimestamp(end_ms / 1000, UTC)
    return (end + timedelta(days=1) - timedelta(milliseconds=1)).date()


def _scored(lake: Lake, ensemble: Ensemble, day: date) -> History:
    enriched = rows(lake, "enriched", [*KEY, AMOUNT, *CATALOG.names, "catalog_version"], (day, day))
    fits = enriched.filter(pl.col("catalog_version") == CATALOG.version)
    scores = pl.Series(PROBABILITY, ensemble.score(fits.select(CATALOG.names).to_numpy()), dtype=pl.Float64)
    known = fits.select(*KEY, AMOUNT, pl.lit(day).alias(EVENT_DATE), scores)
    labelled = known.join(labels_of(lake, fits), on=KEY, how="left", maintain_order="left")
    columns = (
        pl.col(IS_FRAUD).fill_null(value=False),
        pl.col(IS_FRAUD).is_not_null().alias("is_labelled"),
    )
    return History(labelled.select(EVENT_DATE, AMOUNT, PROBABILITY, *columns), len(enriched) - len(fits))
