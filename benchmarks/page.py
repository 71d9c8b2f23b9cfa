"""One self-contained page of all reports: verdicts, pictures, every figure. It loads nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any

from benchmarks.bench import Bench
from benchmarks.goals import figure
from benchmarks.pictures import goals_picture, picture

Report = dict[str, Any]

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #22313f; background: #fff }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem }
h1 { font-size: 1.5rem } h2 { margin-top: 2.5rem; border-top: 1px solid #b8c4ce; padding-top: 1rem }
table { border-collapse: collapse } td, th { text-align: left; padding: .2rem 1.2rem .2rem 0 }
td.number { text-align: right; font-variant-numeric: tabular-nums }
.met { color: #1e7e45 } .missed { color: #c0392b } .note { color: #5d6d7b } .warning { color: #c0392b }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem } .pictures svg { max-width: 100%; height: auto }
pre { background: #f4f7f9; padding: 1rem; overflow: auto; font-size: 12px }
"""


def page(entries: Sequence[tuple[Bench, Report]]) -> str:
    """The whole page as HTML, a section for each bench and its report."""
    return "\n".join(
        [
            '<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>Benches</title>',
            f"<style>{_STYLE}</style><body><h1>Benches: ours, floor and peers</h1>",
            _summary(report for _, report in entries),
            *(_section(bench, report) for bench, report in entries),
            "</body></html>\n",
        ]
    )


def _summary(reports: Iterable[Report]) -> str:
    rows = (
        f'<tr><td><a href="#{escape(report["bench"])}">{escape(report["bench"])}</a></td>'
        f"<td>{_verdict(report['met'])}</td><td>{_met(report)} of {len(report['goals'])} goals</td></tr>"
        for report in reports
    )
    return f"<table>{''.join(rows)}</table>"


def _section(bench: Bench, report: Report) -> str:
    pictures = [goals_picture(report), *(picture(plot, report) for plot in bench.plots)]
    return "\n".join(
        [
            f'<h2 id="{escape(bench.name)}">{escape(bench.name)}: {_verdict(report["met"])}</h2>',
            f"<p>{escape(bench.summary)}</p>",
            f'<p class="note">{escape(_circumstances(report))}</p>',
            _synthetic(report),
            _goals(report),
            f'<div class="pictures">{"".join(pictures)}</div>',
            _everything(report),
        ]
    )


def _circumstances(report: Report) -> str:
    on = report["machine"]
    return (
        f"{on['cpu']}, {on['cores']} cores, {on['memory_bytes'] / 1024**3:.0f} GiB, {on['system']}, "
        f"Python {on['python']}; load {on['load_1m']} before the run; "
        f"rounds: {report['repeats']}, medians count"
    )


def _synthetic(report: Report) -> str:
    made_up = report["data"].get("synthetic", False)
    return '<p class="warning">The data is made up: not the yardstick.</p>' if made_up else ""


def _goals(report: Report) -> str:
    rows = (
        f'<tr><td>{escape(path)}</td><td class="number">{figure(report, path):,g}</td>'
        f'<td class="number">{escape(_bounds(goal))}</td><td>{_verdict(goal["met"])}</td></tr>'
        for path, goal in report["goals"].items()
    )
    return f"<table><tr><th>Figure<th>Measured<th>Goal<th></tr>{''.join(rows)}</table>"


def _everything(report: Report) -> str:
    text = escape(json.dumps(report, indent=2))
    return f"<details><summary>All figures</summary><pre>{text}</pre></details>"


def _bounds(goal: dict[str, Any]) -> str:
    signs = {"max": "at most", "min": "at least"}
    return ", ".join(f"{sign} {goal[name]:,g}" for name, sign in signs.items() if name in goal)


def _verdict(met: bool) -> str:
    return '<span class="met">met</span>' if met else '<span class="missed">missed</span>'


def _met(report: Report) -> int:
    return sum(goal["met"] for goal in report["goals"].values())
