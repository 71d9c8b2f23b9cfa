"""Daily partitions (UTC) of the event tables, and what follows what."""

from datetime import date, timedelta
from typing import Any

import dagster as dg

from bdp_assets.features.catalog import CATALOG
from bdp_assets.settings import get_settings


def _days(*, today: bool) -> dg.DailyPartitionsDefinition:
    """From the first day to today or the day before; replayed data has a last day of its own."""
    settings = get_settings()
    end = settings.partitions_end
    return dg.DailyPartitionsDefinition(
        start_date=settings.raw_partitions_start.isoformat(),
        end_date=(end + timedelta(days=1)).isoformat() if end else None,
        end_offset=int(today),
    )


DAYS = _days(today=True)
"""Today counts while it lasts."""
DAYS_THAT_ENDED = _days(today=False)
"""For what compares whole days: the first hours of one are not like a day."""
ONE_RUN = dg.BackfillPolicy.single_run()
"""A backfill of many days is one run: the features of all of them are computed in one pass."""

_CENTURY = 36_525
WINDOW = dg.TimeWindowPartitionMapping(
    start_offset=-(CATALOG.reach_days or _CENTURY), allow_nonexistent_upstream_partitions=True
)
"""A day depends on the days that its windows reach, so late events and labels move the days after them."""


def days_of(context: dg.AssetExecutionContext) -> tuple[date, date]:
    """First and last day that this run materialises."""
    keys = context.partition_key_range
    return date.fromisoformat(keys.start), date.fromisoformat(keys.end)


def days_between(first: date, last: date) -> list[date]:
    """Each day from the first to the last, both included."""
    return [first + timedelta(days=number) for number in range((last - first).days + 1)]


def day_of(context: dg.AssetExecutionContext) -> date:
    """The one day that this run materialises. Raises dagster.Failure."""
    first, last = days_of(context)
    if first != last:
        raise dg.Failure(
            f"{first} to {last} in one run: this asset is as of one day. Backfill it with a run for each."
        )
    return first


def follow_upstream(but: dg.AssetSelection | None = None) -> dg.AutomationCondition[Any]:
    """Materialise a day when something that it depends on changed, unless that failed a blocking check.

    `but`: what it depends on and does not follow.

    `eager()` but for three of its parts. It looks at the latest day only; a late event moves older ones. It
    wants nothing missing upstream; there need not be labels every day, nor anything before the first day. It
    forgets what came after its run was asked for, though that may have read before.
    """
    condition = dg.AutomationCondition[Any]
    changed = condition.newly_missing() | condition.any_deps_updated()
    # Both may be seen in one look: then the change is the later one.
    handled = condition.initial_evaluation() | (condition.newly_requested() & ~changed)
    refused = condition.any_deps_match(
        condition.any_checks_match(condition.check_failed(), blocking_only=True)
    )
    follow = (
        changed.since(handled.with_label("handled"))
        & ~refused.with_label("a blocking check failed upstream")
        & ~condition.any_deps_in_progress()
        & ~condition.in_progress()
    )
    return (follow if but is None else follow.ignore(but)).with_label("follow upstream")


def hourly() -> dg.AutomationCondition[Any]:
    """Materialise the latest day, or what has no days, once an hour."""
    return _by_the_clock("0 * * * *", "hourly")


def after_the_hour() -> dg.AutomationCondition[Any]:
    """Materialise the latest day, or what has no days, once an hour, when what came in it has landed."""
    return _by_the_clock("15 * * * *", "hourly, a quarter past")


def nightly() -> dg.AutomationCondition[Any]:
    """Materialise the latest day, or what has no days, once a night, whatever changed."""
    return _by_the_clock("45 3 * * *", "nightly")


def _by_the_clock(cron: str, label: str) -> dg.AutomationCondition[Any]:
    condition = dg.AutomationCondition[Any]
    passed = condition.cron_tick_passed(cron).since_last_handled()
    return (condition.in_latest_time_window() & passed & ~condition.in_progress()).with_label(label)
