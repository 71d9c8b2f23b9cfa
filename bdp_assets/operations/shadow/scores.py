"""Rows of the table `shadow_scores`: live decisions of some days, scored by the challenger as well.

A row is scored once for each version and policy of a challenger: a second run finds it and leaves it. Rows of
earlier challengers stay, so that one can still see how a champion did before it became one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import records_of, to_frame
from bdp_assets.contracts.records import Prediction, ShadowScore
from bdp_assets.decisions.decider import Decider
from bdp_assets.ingest.tables import rows
from bdp_assets.operations.batch_decisions import DECIDED_BY as BATCH

TABLE = "shadow_scores"
KEY = ["customer_id", "transaction_id"]
CHUNK = 20_000
OTHER_CATALOG = "decided on features of another catalog"
ITSELF = "decided by the challenger itself"
NO_FEATURES = "without the features that it reads"
_LIVE = pl.col("decided_by") != BATCH


@dataclass(frozen=True)
class Shadow:
    """All rows of the table for some days, how many of them are new, and which live decisions have none."""

    rows: pl.DataFrame
    scored: int
    left_out: Mapping[str, int]


def untouched(lake: Lake, first: date, last: date) -> Shadow:
    """The days first..last as they are, where there is no challenger."""
    return Shadow(rows(lake, TABLE, None, (first, last)), 0, {})


def shadow_days(lake: Lake, challenger: Decider, first: date, last: date) -> Shadow:
    """The days first..last with every live decision scored; one day's features are in memory at a time."""
    days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
    found = [_shadow_day(lake, challenger, day) for day in days]
    left_out = sum((Counter(one.left_out) for one in found), Counter())
    return Shadow(pl.concat([one.rows for one in found]), sum(one.scored for one in found), left_out)


def _shadow_day(lake: Lake, challenger: Decider, day: date) -> Shadow:
    version, policy = challenger.info.version, challenger.policy.version
    there = rows(lake, TABLE, None, (day, day))
    # What the same challenger said by another policy is not what it would decide now.
    kept = there.filter(
        (pl.col("challenger_version") != version) | (pl.col("challenger_policy_version") == policy)
    )
    done = kept.filter(challenger_version=version)
    live = rows(lake, "predictions", None, (day, day), _LIVE).unique(KEY, keep="first", maintain_order=True)
    due = live.join(done, on=KEY, how="anti", maintain_order="left").with_columns(why=_why_not(challenger))
    fits = due.filter(pl.col("why").is_null()).drop("why")
    scores = [_scored(challenger, records_of(chunk, Prediction)) for chunk in fits.iter_slices(CHUNK)]
    new = pl.concat([to_frame(one, ShadowScore, "ts_ms") for one in (*scores, [])])
    left_out = {
        **dict(due.drop_nulls("why").group_by("why").len().iter_rows()),
        NO_FEATURES: len(fits) - len(new),
    }
    return Shadow(pl.concat([kept, new]), len(new), {why: n for why, n in left_out.items() if n})


def _why_not(challenger: Decider) -> pl.Expr:
    return (
        pl.when(pl.col("catalog_version") != challenger.info.catalog_version)
        .then(pl.lit(OTHER_CATALOG))
        .when(pl.col("model_version") == challenger.info.version)
        .then(pl.lit(ITSELF))
    )


def _scored(challenger: Decider, live: Sequence[Prediction]) -> list[ShadowScore]:
    """Those whose vector is whole; lists, which know no model, have no say on either side."""
    names = challenger.info.feature_names
    whole = [record for record in live if record.features.keys() >= set(names)]
    if not whole:
        return []
    matrix = np.array([[record.features[name] for name in names] for record in whole])
    return [
        ShadowScore(
            transaction_id=record.transaction_id,
            customer_id=record.customer_id,
            ts_ms=record.ts_ms,
            amount_base_minor=record.amount_base_minor,
            decided_by=record.decided_by,
            catalog_version=record.catalog_version,
            champion_version=record.model_version,
            champion_policy_version=record.policy_version,
            champion_score=record.fraud_probability,
            champion_decision=record.decision_without_lists or record.decision,
            challenger_version=challenger.info.version,
            challenger_policy_version=challenger.policy.version,
            challenger_score=verdict.probability,
            challenger_decision=verdict.decision,
        )
        for record, verdict in zip(whole, challenger.verdicts(whole, matrix), strict=True)
    ]
