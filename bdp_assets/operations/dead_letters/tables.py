"""Dead letters for a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import RenderableType
from rich.table import Table

from bdp_assets.contracts.dead_letters import printable
from bdp_assets.operations.dead_letters.entries import NOT_REPLAYABLE, Entry
from bdp_assets.operations.dead_letters.judging import Kept
from bdp_assets.operations.dead_letters.query import ByError, Row
from bdp_assets.operations.dead_letters.replay import Report

FEW = 5
"""Places that a line has room for; JSON has all."""
TIME = "%Y-%m-%d %H:%M:%SZ"


def letters_table(rows: Sequence[Row]) -> Table:
    """One line a letter."""
    columns = ("place", "refused", "step", "error", "field", "source", "status", "card number")
    note = NOT_REPLAYABLE if any(row.masked for row in rows) else None
    table = Table(*columns, box=None, pad_edge=False, caption=note, caption_justify="left")
    for row in rows:
        table.add_row(
            str(row.place),
            row.refused_at.strftime(TIME),
            row.step,
            row.error,
            row.field or "",
            f"{row.source_topic}[{row.source_partition}]@{row.source_offset}",
            row.status,
            _card(row),
        )
    return table


def errors_table(groups: Sequence[ByError]) -> Table:
    """One line for letters that are alike."""
    columns = ("letters", "error", "field", "step", "source", "status", "last refused")
    table = Table(*columns, box=None, pad_edge=False)
    for group in groups:
        table.add_row(
            f"{group.letters:,}",
            group.error,
            group.field or "",
            group.step,
            group.source_topic,
            group.status,
            group.last_refused_at.strftime(TIME),
        )
    return table


def _card(row: Row) -> str:
    """Equal for equal card numbers: the beginnings of their hashes."""
    return " ".join(hash_[:12] for hash_ in row.pan_hashes) or ("masked" if row.masked else "")


def letter_lines(entry: Entry, became: str) -> Iterator[str]:
    """One letter, line by line; the bytes come last."""
    letter = entry.letter
    field = f" (field {letter.field})" if letter.field else ""
    yield f"{letter.error}{field}, refused by {entry.step}: {letter.message}"
    yield f"source {letter.source_topic}[{letter.source_partition}]@{letter.source_offset}"
    yield f"trace {entry.trace_id}"
    yield f"status {became}"
    if entry.replay_of:
        yield f"sent as a replay of the dead letter {entry.replay_of.partition(':')[2]}"
    for hash_ in letter.pan_hashes:
        yield f"card number with the keyed hash {hash_}"
    masked = "; card numbers are masked" if letter.masked else ""
    yield f"original, {len(entry.original):,} bytes{masked}:"
    yield printable(entry.original)


def report_parts(report: Report, *, rehearsed: bool) -> Iterator[RenderableType]:
    """What was sent, in a sentence; changed bodies in a rehearsal; and what was not sent, by reason."""
    if rehearsed:
        yield from (f"{one.place} -> {one.body}" for one in report.sent if one.body is not None)
    kinds = Counter((one.source_topic, one.error, one.body is not None) for one in report.sent)
    for (topic, error, fixed), letters in kinds.most_common():
        verb = "would be sent" if rehearsed else "sent"
        yield f"{verb}: {letters:,} {error}{', fixed,' if fixed else ''} to {topic}"
    if report.replay_ids:
        yield f"replay {report.replay_ids[0].partition('.')[0]}"
    if report.kept:
        yield f"{'would stay' if rehearsed else 'not sent'}: {len(report.kept):,}"
        yield kept_table(report.kept, "letters")
    if not report.sent and not report.kept:
        yield "No letter matches."


def report_json(report: Report) -> dict[str, Any]:
    """For a program."""
    return {
        "replay_ids": report.replay_ids,
        "sent": [{**one._asdict(), "place": str(one.place)} for one in report.sent],
        "kept": [{**one._asdict(), "place": str(one.place)} for one in report.kept],
    }


def kept_table(kept: Sequence[Kept], what: str) -> Table:
    """What stays where it is, by reason. `what`: letters or rows."""
    table = Table(what, "error", "why", "places", box=None, pad_edge=False)
    reasons: dict[tuple[str, str], list[Kept]] = {}
    for one in sorted(kept):
        reasons.setdefault((one.error, one.says), []).append(one)
    for (error, says), alike in sorted(reasons.items(), key=lambda item: -len(item[1])):
        more = " ..." if len(alike) > FEW else ""
        table.add_row(f"{len(alike):,}", error, says, " ".join(str(one.place) for one in alike[:FEW]) + more)
    return table
