"""What a dashboard is made of: what to ask and how to read it, never where on the page it is."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

WIDE, HALF, SIXTH = 24, 12, 4
"""Columns of Grafana's grid, which has 24."""


class Source(StrEnum):
    """The data sources' fixed uids."""

    PROMETHEUS = "prometheus"
    LOKI = "loki"
    WAREHOUSE = "warehouse"


class Kind(StrEnum):
    """Grafana's own types of panels."""

    STAT = "stat"
    LINES = "timeseries"
    STATES = "state-timeline"
    TABLE = "table"
    LOGS = "logs"


class Unit(StrEnum):
    """Grafana's own ids of units."""

    NUMBER = "short"
    SECONDS = "s"
    BYTES = "bytes"
    SHARE = "percentunit"
    CALLS = "reqps"
    PER_SECOND = "ops"
    MONEY = "currencyUSD"
    YES_NO = "bool_yes_no"


@dataclass(frozen=True)
class Query:
    """`text`: PromQL, LogQL or SQL. `legend`: Grafana's template, for series of metrics and logs."""

    text: str
    legend: str = ""


@dataclass(frozen=True)
class Limits:
    """Values beyond `warn` are orange, beyond `bad` red: above them, or below where `low` is what worries."""

    warn: float
    bad: float
    low: bool = False


def above(warn: float, bad: float | None = None) -> Limits:
    """From there on; one limit alone is red."""
    return Limits(warn, warn if bad is None else bad)


def below(warn: float, bad: float | None = None) -> Limits:
    """Under it; one limit alone is red."""
    return Limits(warn, warn if bad is None else bad, low=True)


@dataclass(frozen=True)
class Panel:
    """`says`: what it shows and when to worry. `runbook`: the alert whose section is linked."""

    kind: Kind
    source: Source
    title: str
    says: str
    queries: tuple[Query, ...]
    unit: Unit = Unit.NUMBER
    limits: Limits | None = None
    runbook: str | None = None
    width: int = HALF
    height: int = 8
    units: tuple[tuple[str, Unit], ...] = ()
    """Of a table's columns that have another one."""


@dataclass(frozen=True)
class Dashboard:
    """`name`: of its file, and of its uid. `range`: how far back it looks at first."""

    name: str
    title: str
    says: str
    panels: tuple[Panel, ...]
    range: str = "6h"

    @property
    def uid(self) -> str:
        return f"bdp-{self.name}"


def stat(  # noqa: PLR0913 - what makes a number readable
    title: str,
    query: str,
    unit: Unit,
    says: str,
    *,
    limits: Limits | None = None,
    runbook: str | None = None,
    source: Source = Source.PROMETHEUS,
) -> Panel:
    """One number, at the top."""
    asked = (Query(query),)
    return Panel(Kind.STAT, source, title, says, asked, unit, limits, runbook, width=SIXTH, height=4)


def lines(  # noqa: PLR0913 - likewise
    title: str,
    queries: dict[str, str],
    unit: Unit,
    says: str,
    *,
    limits: Limits | None = None,
    runbook: str | None = None,
    source: Source = Source.PROMETHEUS,
    width: int = HALF,
) -> Panel:
    """Series over time. `queries`: legend -> query."""
    asked = tuple(Query(text, legend) for legend, text in queries.items())
    return Panel(Kind.LINES, source, title, says, asked, unit, limits, runbook, width)


def states(title: str, query: str, legend: str, says: str, *, runbook: str | None = None) -> Panel:
    """Yes or no over time, a row for each series."""
    asked = (Query(query, legend),)
    return Panel(Kind.STATES, Source.PROMETHEUS, title, says, asked, Unit.YES_NO, below(1), runbook)


def table(title: str, sql: str, says: str, *, width: int = HALF, **units: Unit) -> Panel:
    """Rows of the warehouse. `units`: of columns that are no plain numbers."""
    asked, of_columns = (Query(sql),), tuple(units.items())
    return Panel(Kind.TABLE, Source.WAREHOUSE, title, says, asked, width=width, units=of_columns)


def logs(title: str, query: str, says: str) -> Panel:
    """Log lines, at the bottom."""
    return Panel(Kind.LOGS, Source.LOKI, title, says, (Query(query),), width=WIDE, height=9)
