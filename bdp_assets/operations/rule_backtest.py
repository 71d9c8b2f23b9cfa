"""Back-tests rules: what they would have hit in the lake's history, and what became of it.

One day is in memory at a time, and of it only the columns that are read; and the customers who were hit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.decisions.facts import Columns
from bdp_assets.decisions.rules import FILE, RuleCatalog, load_rules
from bdp_assets.features.catalog import AMOUNT, CATALOG
from bdp_assets.operations.rule_history import (
    Bools,
    Flags,
    NothingToTest,
    columns_read,
    days_of,
    read_day,
    with_flags,
)
from bdp_assets.settings import Settings

TOGETHER = "together"


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
    """Transactions without a record of a decision."""
    others_decided_by: str
    """Who decided those for the test; decided by nobody, they count as approved."""
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


def backtest_history(
    settings: Settings, dates: tuple[date | None, date | None], candidate: Path | None
) -> Backtest:
    """Back-test the present catalog, and a candidate's file beside it, on this installation's lake.

    What nobody decided is asked of this machine's champion. Raises RuleError, BundleError, TableMissing,
    NothingToTest.
    """
    catalogs = {"present": load_rules(FILE)}
    if candidate is not None:
        catalogs["candidate"] = load_rules(candidate)
    delay = timedelta(days=settings.label_delay_days)
    return backtest(Lake.of(settings), catalogs, dates, delay, _champion(settings))


def backtest(
    lake: Lake,
    catalogs: Mapping[str, RuleCatalog],
    dates: tuple[date | None, date | None] = (None, None),
    label_delay: timedelta = timedelta(0),
    flags: Flags | None = None,
) -> Backtest:
    """Run catalogs, by a name for each, over the enriched transactions of the days first..last.

    Where `dates` leaves an end open: the first day that there is, and the last whose labels are due. What is
    known of frauds now counts, whenever it became known. `flags` is asked where there is no record of a
    decision. Raises TableMissing, NothingToTest.
    """
    sums = _Sums({name: [_Tally() for _ in (*one.rules, TOGETHER)] for name, one in catalogs.items()})
    columns = columns_read(catalogs.values(), flags)
    first, last, days = days_of(lake, dates, label_delay)
    for today in days:
        day, left_out = read_day(lake, today, columns)
        sums.add(day, left_out, catalogs, flags)
    if not sums.days:
        raise NothingToTest(
            f"the lake has no enriched transactions of feature catalog {CATALOG.version} from {first} to "
            f"{last}: choose other days, or materialise features anew"
        )
    return sums.result(first, last, catalogs, "the champion, now" if flags else "nobody")


@dataclass
class _Sums:
    """What the days so far hold, and each catalog's tallies."""

    tallies: Mapping[str, Sequence[_Tally]]
    whole: _Tally = field(default_factory=_Tally)
    days: int = 0
    undecided: int = 0
    left_out: int = 0

    def add(
        self, day: pl.DataFrame, left_out: int, catalogs: Mapping[str, RuleCatalog], flags: Flags | None
    ) -> None:
        self.days += not day.is_empty()
        self.left_out += left_out
        self.undecided += day["is_flagged"].null_count()
        decided = with_flags(day, flags)
        self.whole.add(decided, np.ones(len(day), dtype=np.bool_))
        for name, catalog in catalogs.items():
            _add(decided, catalog, self.tallies[name])

    def result(
        self, first: date, last: date, catalogs: Mapping[str, RuleCatalog], others_decided_by: str
    ) -> Backtest:
        return Backtest(
            first=first,
            last=last,
            days=self.days,
            transactions=self.whole.hits,
            frauds=self.whole.frauds,
            fraud_amount_minor=self.whole.fraud_amount_minor,
            flagged=self.whole.already_flagged,
            undecided=self.undecided,
            others_decided_by=others_decided_by,
            left_out=self.left_out,
            catalogs={
                name: Backtested(
                    one.version, tuple(_figures(one, self.tallies[name], self.whole.frauds, self.days))
                )
                for name, one in catalogs.items()
            },
        )


def _champion(settings: Settings) -> Flags | None:
    """What this machine's model would flag; None where there is none."""
    from bdp_assets.decisions.decider import (
        Decider,
    )  # reads the rules that decide: they may be what is broken

    directory = settings.models_dir / "champion"
    return Decider.load(directory).flags if directory.exists() else None


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
