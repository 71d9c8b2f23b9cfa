"""A load run for people and for programs. Times in milliseconds; rates a second."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from rich.console import Group
from rich.table import Table
from rich.text import Text

from bdp_assets.operations.load.schedule import Phase
from bdp_assets.operations.load.tally import Counts, Tally
from bdp_assets.operations.load.verdict import Judgement, holds, judge

PERCENTS = (50, 95, 99, 99.9)


def line(tally: Tally) -> str:
    """While it runs: what came since the last line."""
    recent = tally.recent()
    times = "  ".join(f"p{percent:g} {_ms(recent.latency.percentile(percent))}" for percent in PERCENTS)
    outcomes = ", ".join(f"{number:,} {name}" for name, number in sorted(recent.outcomes.items()))
    return f"{tally.elapsed_s:6.0f} s  {times} ms  {outcomes or 'nothing came back'}"


def as_text(tally: Tally) -> Group:
    """A table of the phases, one of the objectives, and the verdict."""
    judged = judge(tally)
    parts: list[Any] = [_phases(tally), _objectives(judged)]
    done, planned = tally.total().calls, len(tally.schedule.times)
    if done < planned:
        parts.append(Text(f"Ended early: {done:,} calls of {planned:,}.", style="yellow"))
    failed = [f"{one.objective.name} ({one.phase})" for one in judged if not one.holds]
    if failed:
        parts.append(Text(f"FAILED: {', '.join(failed)}", style="red"))
    else:
        parts.append(Text("Every objective held.", style="green"))
    return Group(*parts)


def as_values(tally: Tally) -> dict[str, Any]:
    """`holds`, `phases` and `all` with their figures, and `objectives`."""
    judged = judge(tally)
    rows = zip(tally.schedule.phases, tally.phases, strict=True)
    return {
        "holds": holds(tally),
        "scheduled_s": round(tally.schedule.seconds, 3),
        "elapsed_s": round(tally.elapsed_s, 3),
        "all": _values(tally.total(), tally.schedule.mean_rate, _span(tally)),
        "phases": [
            {"phase": phase.name, **_values(counts, phase.rate, _phase_span(phase, counts, tally))}
            for phase, counts in rows
        ],
        "objectives": [
            {
                "objective": one.objective.name,
                "phase": one.phase,
                "allowed_share": one.objective.allowed,
                "within_ms": None if one.objective.within_s is None else 1_000 * one.objective.within_s,
                "bad": one.bad,
                "bad_share": round(one.bad_share, 6),
                "holds": one.holds,
            }
            for one in judged
        ],
    }


def _values(counts: Counts, rate: float, span_s: float) -> dict[str, Any]:
    return {
        "calls": counts.calls,
        "rate": round(rate, 2),
        "achieved_rate": round(counts.right / span_s, 2) if span_s else 0.0,
        "outcomes": dict(sorted(counts.outcomes.items())),
        "latency_ms": {
            **{f"p{percent:g}": _number(counts.latency.percentile(percent)) for percent in PERCENTS},
            "max": _number(counts.latency.highest_s),
        },
        "sent_late_ms": {
            "p50": _number(counts.sent_late.percentile(50)),
            "p99": _number(counts.sent_late.percentile(99)),
        },
    }


def _number(seconds: float) -> float | None:
    return None if math.isnan(seconds) else round(1_000 * seconds, 3)


def _ms(seconds: float) -> str:
    milliseconds = _number(seconds)
    return "-" if milliseconds is None else f"{milliseconds:,.1f}"


def _span(tally: Tally) -> float:
    """Seconds over which the right answers came."""
    return max(tally.elapsed_s, tally.total().last_s)


def _phase_span(phase: Phase, counts: Counts, tally: Tally) -> float:
    """Likewise, of one phase: to its end, or to its last answer where that came later."""
    return max(0.0, max(min(phase.end_s, tally.elapsed_s), counts.last_s) - phase.start_s)


def _phases(tally: Tally) -> Table:
    title = "Latency from when a call was due, ms"
    drawn = Table(
        "phase", "calls", "rate", "achieved", *(f"p{one:g}" for one in PERCENTS), "max", title=title
    )
    drawn.add_column("sent late p99")
    for column in drawn.columns[1:]:
        column.justify = "right"
    drawn.add_column("outcomes")
    rows = [
        (phase.name, counts, phase.rate, _phase_span(phase, counts, tally))
        for phase, counts in zip(tally.schedule.phases, tally.phases, strict=True)
    ]
    if len(rows) > 1:
        rows.append(("all", tally.total(), tally.schedule.mean_rate, _span(tally)))
    for name, counts, rate, span_s in rows:
        drawn.add_row(
            name,
            f"{counts.calls:,}",
            f"{rate:,.1f}",
            f"{counts.right / span_s:,.1f}" if span_s else "-",
            *(_ms(counts.latency.percentile(percent)) for percent in PERCENTS),
            _ms(counts.latency.highest_s),
            _ms(counts.sent_late.percentile(99)),
            ", ".join(f"{number:,} {what}" for what, number in sorted(counts.outcomes.items())),
        )
    return drawn


def _objectives(judged: Sequence[Judgement]) -> Table:
    drawn = Table("objective", "asks for", "phase", "bad", "share", "")
    for one in judged:
        drawn.add_row(
            one.objective.name,
            one.objective.says,
            one.phase,
            f"{one.bad:,} of {one.calls:,}",
            f"{100 * one.bad_share:.3f}%",
            Text("holds", style="green") if one.holds else Text("fails", style="red"),
        )
    return drawn
