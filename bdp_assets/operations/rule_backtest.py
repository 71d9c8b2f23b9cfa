"""Back-tests rules: what they would have hit in the lake's history, and what became of it.

One day is in memory at a time, and of it only the columns that are read; and the customers who were hit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta

import numpy as np
import polars as pl
from numpy.typing import NDArray

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import EVENT_DATE
from bdp_assets.decisions.facts import Columns
from bdp_assets.decisions.policy import FLAGGED
from bdp_assets.decisions.rules import RuleCatalog
from bdp_assets.features.catalog import AMOUNT, CATALOG
from bdp_assets.ingest.tables import rows

KEY = ("customer_id", "transaction_id")
TOGETHER = "together"
Bools = NDArray[np.bool_]
Flags = Callable[[NDArray[np.float64]], Bools]
"""Which rows of features model and policy would not approve: `Decider.flags`."""


class NothingToTest(ValueError):  # noqa: N818 - read as what it is
    """No transaction lies in the range; the message says what to do."""


@dataclass(frozen=True)
class Figures:
    """What one rule hits, or (`TOGETHER`) any of a catalog. Money is in minor units of the base currency."""

    rule: str
    action: str
    hits: int
    hits_per_day: float
    frauds: int
    """Hits that are known to be fraud."""
    precision: float | None
    """Frauds per hit; None without hits."""
    recall: float | None
    """Share of all known frauds; None where there are none."""
    fraud_amount_minor: int
    good_customers: int
    """Customers of whom a transaction was hit that is not known to be fraud."""
    already_flagged: int
    """Hits that model and policy did not approve, without any rule."""
    added_frauds: int
    """Frauds that only the rule finds: model and policy approved them."""


@dataclass(frozen=True)
class Backtested:
    """A catalog's version, and figures of each rule, the last of all together."""

    version: str
    figures: tuple[Figures, ...]


@dataclass(frozen=True)
class Backtest:
    """What the days first..last (UTC) hold, and what each catalog makes of them."""

    first: date
    last: date
    days: int
    """Days that have transactions."""
    transactions: int
    frauds: int
    fraud_amount_minor: int
    flagged: int
    """Transactions that model and policy did not approve."""
    undecided: int
    """Transactions without a record of a decision: `flags` decided, or else they count as approved."""
    left_out: int
    """Transactions with features of another catalog, which rules cannot read."""
    catalogs: Mapping[str, Backtested]


@dataclass
class _Tally:
    """Sums over days."""

    hits: int = 0
    frauds: int = 0
    fraud_amount_minor: int = 0
    already_flagged: int = 0
    added_frauds: int = 0
    customers: set[str] = field(default_factory=set)

    def add(self, day: pl.DataFrame, hit: Bools) -> None:
        found = day.filter(hit)
        fraud = found.filter("is_fraud")
        self.hits += len(found)
        self.frauds += len(fraud)
        self.fraud_amount_minor += int(fraud[AMOUNT].sum())
        self.already_flagged += int(found["is_flagged"].sum())
        self.added_frauds += int((~fraud["is_flagged"]).sum())
        self.customers.update(found.filter(~pl.col("is_fraud"))["customer_id"].unique())


def backtest(
    lake: Lake,
    catalogs: Mapping[str, RuleCatalog],
    dates: tuple[date | None, date | None] = (None, None),
    *,
    label_delay_days: int = 0,
    flags: Flags | None = None,
) -> Backtest:
    """Run catalogs, by a name for each, over the enriched transactions of the days first..last.

    Where `dates` leaves an end open: the first day that there is, and the last whose labels are due. What is
    known of frauds now counts, whenever it became known. `flags` is asked where there is no record of a
    decision. Raises TableMissing, NothingToTest.
    """
    first, last = _range(lake, dates, label_delay_days)
    tallies = {name: [_Tally() for _ in (*one.rules, TOGETHER)] for name, one in catalogs.items()}
    columns = _columns(catalogs.values(), flags)
    whole, days, undecided, left_out = _Tally(), 0, 0, 0
    for today in _days(first, last):
        day, others = _read(lake, today, columns)
        days += not day.is_empty()
        left_out += others
        undecided += day["is_flagged"].null_count()
        day = _decided(day, flags)
        whole.add(day, np.ones(len(day), dtype=np.bool_))
        for name, one in catalogs.items():
            _add(day, one, tallies[name])
    if not whole.hits:
        raise NothingToTest(
            f"the lake has no enriched transactions of feature catalog {CATALOG.version} from {first} to "
            f"{last}: choose other days, or materialise features anew"
        )
    return Backtest(
        first=first,
        last=last,
        days=days,
        transactions=whole.hits,
        frauds=whole.frauds,
        fraud_amount_minor=whole.fraud_amount_minor,
        flagged=whole.already_flagged,
        undecided=undecided,
        left_out=left_out,
        catalogs={
            name: Backtested(one.version, tuple(_figures(one, tallies[name], whole.frauds, days)))
            for name, one in catalogs.items()
        },
    )


def _range(lake: Lake, dates: tuple[date | None, date | None], delay_days: int) -> tuple[date, date]:
    day = pl.col(EVENT_DATE)
    ends = lake.scan("enriched").select(day.min().alias("first"), day.max().alias("last")).collect()
    known: tuple[date | None, date | None] = ends.row(0)
    if known[0] is None or known[1] is None:
        raise NothingToTest("the lake has no enriched transactions yet: materialise them, or run `make demo`")
    first = dates[0] or known[0]
    last = dates[1] or max(first, known[1] - timedelta(days=delay_days))
    if first > last:
        raise NothingToTest(f"the days {first} to {last} are none: the first comes after the last")
    return first, last


def _days(first: date, last: date) -> Iterator[date]:
    return (first + timedelta(days=number) for number in range((last - first).days + 1))


def _columns(catalogs: Iterable[RuleCatalog], flags: Flags | None) -> list[str]:
    read = {field for catalog in catalogs for rule in catalog.rules for field in rule.fields}
    return list(dict.fromkeys((*KEY, AMOUNT, *sorted(read), *(CATALOG.names if flags else ()))))


def _read(lake: Lake, today: date, columns: Sequence[str]) -> tuple[pl.DataFrame, int]:
    """A day's transactions with `is_fraud` and `is_flagged` (null: undecided), and how many are left out."""
    enriched = rows(lake, "enriched", [*columns, "catalog_version"], (today, today))
    fits = enriched.filter(pl.col("catalog_version") == CATALOG.version).drop("catalog_version")
    day = fits.join(_flagged(lake, today), on=KEY, how="left", maintain_order="left")
    day = day.join(_labels(lake, fits), on=KEY, how="left", maintain_order="left")
    return day.with_columns(pl.col("is_fraud").fill_null(value=False)), len(enriched) - len(fits)


def _flagged(lake: Lake, today: date) -> pl.DataFrame:
    """Whether the policy alone did not approve: its reason says so, whatever rules made of it since."""
    decided = rows(lake, "predictions", [*KEY, "reasons"], (today, today))
    said = pl.col("reasons").str.contains(f'"code":"{FLAGGED}', literal=True)
    return decided.select(*KEY, said.alias("is_flagged")).unique(KEY, keep="any")


def _decided(day: pl.DataFrame, flags: Flags | None) -> pl.DataFrame:
    """With `is_flagged` of every row."""
    found = day["is_flagged"].fill_null(value=False).to_numpy().copy()
    missing = day["is_flagged"].is_null().to_numpy()
    if flags is not None and missing.any():
        found[missing] = flags(day.filter(missing).select(CATALOG.names).to_numpy())
    return day.with_columns(pl.Series("is_flagged", found, dtype=pl.Boolean))


def _labels(lake: Lake, day: pl.DataFrame) -> pl.DataFrame:
    """The latest label of each of these transactions: a reversal takes one back."""
    if not lake.exists("labels"):
        return rows(lake, "labels", [*KEY, "is_fraud"])
    known = lake.scan("labels").select(*KEY, "known_at_ms", "is_fraud")
    ours = known.join(day.lazy().select(KEY), on=KEY, how="semi")
    latest = ours.sort("known_at_ms", "is_fraud").unique(KEY, keep="last", maintain_order=True)
    return latest.select(*KEY, "is_fraud").collect()


def _add(day: pl.DataFrame, catalog: RuleCatalog, tallies: Sequence[_Tally]) -> None:
    facts = Columns(
        len(day), lambda name: day[name].cast(pl.Float64).to_numpy(), lambda name: day[name].to_list()
    )
    any_hit = np.zeros(len(day), dtype=np.bool_)
    for rule, tally in zip(catalog.rules, tallies, strict=False):
        hit = rule.condition.holds(facts)
        tally.add(day, hit)
        any_hit |= hit
    tallies[-1].add(day, any_hit)


def _figures(catalog: RuleCatalog, tallies: Sequence[_Tally], frauds: int, days: int) -> Iterator[Figures]:
    named = [(rule.name, rule.entry.action.value) for rule in catalog.rules]
    for (name, action), tally in zip([*named, (TOGETHER, "")], tallies, strict=True):
        yield Figures(
            rule=name,
            action=action,
            hits=tally.hits,
            hits_per_day=tally.hits / days,
            frauds=tally.frauds,
            precision=tally.frauds / tally.hits if tally.hits else None,
            recall=tally.frauds / frauds if frauds else None,
            fraud_amount_minor=tally.fraud_amount_minor,
            good_customers=len(tally.customers),
            already_flagged=tally.already_flagged,
            added_frauds=tally.added_frauds,
        )
