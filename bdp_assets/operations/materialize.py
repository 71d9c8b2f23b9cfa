"""Asks Dagster for runs of its jobs and follows them to their end.

The runs are Dagster's own: in its queue, with their logs in its pages, to be cancelled or tried again there.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from bdp_assets.clients import dagster
from bdp_assets.ingest.files import source_of
from bdp_assets.operations.progress import Screen
from bdp_assets.operations.run_follow import follow
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

END_OF_HISTORY = "features/transactions"
SCHEDULED = ("scheduled_work", "compare_served_features")
"""Jobs of what follows the clock alone."""
SCHEDULED_BY_DAY = ("judge_models",)
"""The same, of what has days: the latest one."""
SCHEDULED_BY_ENDED_DAY = ("judge_drift",)
"""The same, of what has whole days: the latest that is over."""

Days = tuple[date, date]


def history(settings: Settings, days: Days | None, *, again: bool, screen: Screen) -> None:
    """Backfill days of the history file (by default all), raw to features: the missing ones unless `again`.

    Raises Problem, MappingError, ControlPlaneUnavailable.
    """
    wanted = days or history_days(settings)
    due = wanted if again else missing_days(settings, wanted)
    if due is None:
        screen.line(f"history{_span(wanted)}: every day is there")
    else:
        materialize(settings, "history_backfill", due, screen)


def model(settings: Settings, screen: Screen) -> None:
    """Train as of today, promote, bring the champion here, rebuild the online store.

    Raises Problem, ControlPlaneUnavailable.
    """
    today = latest_day(settings)
    materialize(settings, "train_and_serve", (today, today), screen)


def decisions(settings: Settings, days: Days | None, screen: Screen) -> None:
    """Decide days of history with the champion. Raises Problem, MappingError, ControlPlaneUnavailable."""
    materialize(settings, "decide_history", days or history_days(settings), screen)


def scores(settings: Settings, days: Days | None, screen: Screen) -> None:
    """Score days of features with the champion. Raises Problem, MappingError, ControlPlaneUnavailable."""
    materialize(settings, "score_features", days or history_days(settings), screen)


def shadow(settings: Settings, days: Days | None, screen: Screen) -> None:
    """Have the challenger score the live decisions of some days, by default the latest week.

    Raises Problem, ControlPlaneUnavailable.
    """
    today = latest_day(settings)
    week = max(settings.raw_partitions_start, today - timedelta(days=6)), today
    materialize(settings, "score_shadow", days or week, screen)


def last_scores(settings: Settings, screen: Screen) -> None:
    """Score the last week of history. Raises as `scores`."""
    first, last = history_days(settings)
    scores(settings, (max(first, last - timedelta(days=6)), last), screen)


def scheduled(settings: Settings, screen: Screen) -> None:
    """What follows the clock alone: dead letters, window figures, the lake's upkeep and quality, features
    as served compared with the lake, models judged, drift of yesterday.

    Raises Problem, ControlPlaneUnavailable.
    """
    for job in SCHEDULED:
        materialize(settings, job, None, screen)
    today = latest_day(settings)
    for job in SCHEDULED_BY_DAY:
        materialize(settings, job, (today, today), screen)
    ended = latest_ended_day(settings)
    for job in SCHEDULED_BY_ENDED_DAY:
        materialize(settings, job, (ended, ended), screen)


def history_days(settings: Settings) -> Days:
    """First and last day of the history file that take the history door.

    Raises Problem when there is no file or its days have no partitions; MappingError.
    """
    source = source_of(settings)
    if source is None:
        raise Problem("There is no history to backfill.", "`bdp simulate history` makes some.")
    first, last = source.days
    if first < settings.raw_partitions_start:
        raise Problem(
            f"The history begins on {first}, the daily partitions on {settings.raw_partitions_start}.",
            f"Set BDP_RAW_PARTITIONS_START={first} and start the platform again.",
        )
    return first, settings.history_until or last


def latest_day(settings: Settings) -> date:
    """The latest day that has a partition: today (UTC), or the last one of replayed data."""
    today = datetime.now(UTC).date()
    return min(today, settings.partitions_end or today)


def latest_ended_day(settings: Settings) -> date:
    """The latest day that is over and has a partition."""
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    return min(yesterday, settings.partitions_end or yesterday)


def missing_days(settings: Settings, days: Days) -> Days | None:
    """The shortest range with all of these days that have no features yet; None when all have.

    Raises ControlPlaneUnavailable.
    """
    there = dagster.materialised_days(settings, END_OF_HISTORY)
    missing = [day for day in _each(days) if not any(first <= day <= last for first, last in there)]
    return (missing[0], missing[-1]) if missing else None


def materialize(settings: Settings, job: str, days: Days | None, screen: Screen) -> None:
    """Run a job to its end, as one run. Raises Problem when it fails, ControlPlaneUnavailable."""
    run_id = dagster.under_way(settings, job, days) or dagster.launch(settings, job, days)
    follow(settings, run_id, f"{job}{_span(days)}", screen)


def _each(days: Days) -> list[date]:
    first, last = days
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def _span(days: Days | None) -> str:
    return f" {days[0]}..{days[1]}" if days else ""
