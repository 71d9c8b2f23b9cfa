"""`bdp quarantine release`: corrected rows go back into the past, by the door that refused them.

1. Record: all rows of the release, in one commit of the table `corrections`.
2. Run: Dagster backfills the days, from raw (the file's rows and the released ones) to features.

Killed before 1, nothing happened. Killed after it, the rows are `releasing`: the next release, whatever it
chooses, runs their days too. A run replaces its days as a whole, so that no row can be in them twice.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import date

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.columns import event_date
from bdp_assets.features.labels import KEY
from bdp_assets.ingest import corrections
from bdp_assets.ingest.corrections import Action
from bdp_assets.operations import materialize
from bdp_assets.operations.dead_letters.judging import Kept
from bdp_assets.operations.quarantine import judging
from bdp_assets.operations.quarantine.acts import Act, record
from bdp_assets.operations.quarantine.fixing import Choice, Report, chosen
from bdp_assets.operations.quarantine.judging import Days, Verdict
from bdp_assets.operations.quarantine.rows import Row, Status, arrived
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

NOT_FIXED = "It is not fixed yet: `bdp quarantine fix`."
RELEASED = "Release {} released it: nothing to do."

Run = Callable[[Days], None]
"""Backfills days of the past, first to last, as one run that ends well or raises."""


def release(settings: Settings, choice: Choice, by: str, run: Run) -> Report:
    """Release what was fixed, and bring in what an earlier release left on its way.

    Raises Problem without a history, and when the rows are not there after the run; MappingError,
    HistoryMissing, LakeUnavailable, and what `run` raises.
    """
    days, lake = materialize.history_days(settings), Lake.of(settings)
    act = Act.now(by)
    report = _judged(lake, choice, act, days)
    if report.done:
        record(lake, Action.RELEASED, act, report.done)
    waiting = _waiting(lake)
    if not waiting:
        return report
    # Later days too: what the row was to its customer and merchant is in their features.
    affected = min(waiting), max(*waiting, days[1])
    run(affected)
    _require_arrival(lake)
    return replace(report, days=affected)


def rehearse(settings: Settings, choice: Choice, by: str) -> Report:
    """What `release` would release now; nothing is changed. Raises as `release`."""
    days, lake = materialize.history_days(settings), Lake.of(settings)
    return _judged(lake, choice, Act.now(by), days)


def _judged(lake: Lake, choice: Choice, act: Act, days: Days) -> Report:
    found, unknown = chosen(lake, choice, (Status.FIXED,))
    now_ms = time.time_ns() // 1_000_000
    # Judged again: the past may be another by now, and the transaction may have come meanwhile.
    verdicts = judging.without_taken(lake, _verdicts(found, now_ms, days))
    return Report.of(act, verdicts, unknown)


def _verdicts(found: Sequence[Row], now_ms: int, days: Days) -> Iterable[Verdict]:
    for row in found:
        if row.value is None:
            yield Kept(row.place, row.letter.error, NOT_FIXED)
        elif row.status == Status.RELEASED:
            yield Kept(row.place, row.letter.error, RELEASED.format(row.act_id))
        elif row.status == Status.FIXED:
            yield judging.accepted(row, row.value.encode(), now_ms=now_ms, days=days)


def _waiting(lake: Lake) -> list[date]:
    """Days into which rows were released that are not there yet."""
    acts = corrections.latest(lake)
    released = acts.filter(action=Action.RELEASED.value).join(arrived(lake, acts), on=KEY, how="anti")
    return released.select(event_date("ts_ms")).to_series().unique().to_list()


def _require_arrival(lake: Lake) -> None:
    if _waiting(lake):
        raise Problem(
            "The run ended, but not all rows that were released are in the table features.",
            "A run that was under way before may have been joined: type `bdp quarantine release` again.",
        )
