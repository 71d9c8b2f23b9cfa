"""A chaos run for people and for programs."""

from __future__ import annotations

from statistics import median
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bdp_assets.operations.chaos.plan import make_plan
from bdp_assets.operations.chaos.run import Done, Outcome
from bdp_assets.operations.verify import report


def line(done: Done) -> str:
    """While it runs."""
    recovery = done.problem or f"works again after {done.recovery_s:.1f} s"
    return f"{done.at_s:7.1f} s  {done.move.target.program:<15} {done.move.says:<22} {recovery}"


def as_text(outcome: Outcome) -> Group:
    """What was done to whom and what it cost, the proof, and the verdict."""
    moves = Table("program", "move", "times", "recovery: median", "longest", title="What was done to whom")
    for column in moves.columns[2:]:
        column.justify = "right"
    for (program, move), recoveries in _recoveries(outcome).items():
        moves.add_row(program, move, str(len(recoveries)), *_seconds(recoveries))
    plays = f"{outcome.plays} plays of traffic, {outcome.interrupted} interrupted by Kafka's absence"
    parts: list[Any] = [moves, Text(f"{outcome.kills} kills. {plays}. Drained in {outcome.drain_s:.0f} s.")]
    if outcome.left_out:
        parts.append(Text(f"{outcome.left_out} moves of the plan were left out: no time.", style="yellow"))
    parts.append(report.as_text(outcome.verification))
    parts += [Text(problem, style="red") for problem in outcome.problems]
    return Group(*parts)


def as_values(outcome: Outcome, seed: int, rounds: int) -> dict[str, Any]:
    """Plain values; `moves` in the order in which they were planned."""
    moves = [
        {
            "at_s": round(done.at_s, 1),
            "program": done.move.target.program,
            "move": done.move.says,
            "recovery_s": None if done.recovery_s is None else round(done.recovery_s, 1),
            "problem": done.problem,
        }
        for done in outcome.done
    ]
    return {
        "holds": outcome.holds,
        "seed": seed,
        "rounds": rounds,
        "planned": len(make_plan(seed, rounds)),
        "left_out": outcome.left_out,
        "kills": outcome.kills,
        "problems": outcome.problems,
        "plays": outcome.plays,
        "interrupted": outcome.interrupted,
        "drain_s": round(outcome.drain_s, 1),
        "moves": moves,
        "verify": report.as_values(outcome.verification),
    }


def _recoveries(outcome: Outcome) -> dict[tuple[str, str], list[float | None]]:
    found: dict[tuple[str, str], list[float | None]] = {}
    for done in sorted(outcome.done, key=lambda one: one.move.target.program):
        says = f"{done.move.kind} {done.move.point}" if done.move.point else str(done.move.kind)
        found.setdefault((done.move.target.program, says), []).append(done.recovery_s)
    return dict(sorted(found.items()))


def _seconds(recoveries: list[float | None]) -> tuple[str, str]:
    known = [seconds for seconds in recoveries if seconds is not None]
    if len(known) < len(recoveries):
        return "", "[red]never[/]"
    return f"{median(known):.1f} s", f"{max(known):.1f} s"
