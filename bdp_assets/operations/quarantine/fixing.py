"""`bdp quarantine fix`: corrections of chosen rows, kept until they are released; nothing moves yet."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from bdp_assets.clients.lake import Lake
from bdp_assets.ingest.corrections import Action
from bdp_assets.operations import materialize
from bdp_assets.operations.dead_letters.fixes import Fixes
from bdp_assets.operations.dead_letters.judging import Kept
from bdp_assets.operations.quarantine import judging, rows
from bdp_assets.operations.quarantine.acts import Act, Corrected, record
from bdp_assets.operations.quarantine.judging import Days, Verdict
from bdp_assets.operations.quarantine.places import Place
from bdp_assets.operations.quarantine.rows import Filter, Row, Status
from bdp_assets.settings import Settings

UNRELEASED = (Status.OPEN, Status.FIXED)
UNKNOWN = (
    "No row of the past stands there. `bdp quarantine list --rows` shows the places; what came by a topic is "
    "in `bdp dlq list`."
)


@dataclass(frozen=True)
class Choice:
    """Which rows: those at the places or, without places, those that match the filter."""

    places: Sequence[Place] = ()
    matching: Filter = field(default_factory=Filter)


@dataclass(frozen=True)
class Report:
    """What was done (would be, in a rehearsal), and what was not and why."""

    act_id: str
    done: list[Corrected]
    kept: list[Kept]
    days: Days | None = None
    """Days that a release had backfilled."""

    @classmethod
    def of(cls, act: Act, verdicts: Sequence[Verdict], unknown: Sequence[Kept]) -> Report:
        done = [one for one in verdicts if isinstance(one, Corrected)]
        return cls(act.id, done, [*unknown, *(one for one in verdicts if isinstance(one, Kept))])


def fix(settings: Settings, choice: Choice, fixes: Fixes, by: str, *, rehearsed: bool = False) -> Report:
    """Keep the corrections of rows that the contract takes after them; a later one replaces an earlier one.

    Raises Problem without a history, MappingError, HistoryMissing, LakeUnavailable.
    """
    days, lake = materialize.history_days(settings), Lake.of(settings)
    found, unknown = chosen(lake, choice, UNRELEASED)
    now_ms = time.time_ns() // 1_000_000
    judged = judging.without_taken(
        lake, (judging.fixed(row, fixes, now_ms=now_ms, days=days) for row in found)
    )
    act = Act.now(by)
    report = Report.of(act, judged, unknown)
    if report.done and not rehearsed:
        record(lake, Action.FIXED, act, report.done)
    return report


def chosen(lake: Lake, choice: Choice, among: Collection[Status]) -> tuple[list[Row], list[Kept]]:
    """The rows of a choice, and the places where there is none. A filter without a status is for `among`."""
    if not choice.places:
        matching = rows.matching(lake, choice.matching)
        return [row for row in matching if choice.matching.status or row.status in among], []
    found = rows.at(lake, choice.places)
    missing = sorted(set(choice.places) - {row.place for row in found})
    return found, [Kept(place, "", UNKNOWN) for place in missing]
