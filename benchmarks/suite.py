"""Run benches: one JSON object each and, with a folder to write to, a file each and a page of all."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench import Bench, Outcome, Request
from benchmarks.goals import judged
from benchmarks.machine import machine
from benchmarks.registry import BENCHES, find

PAGE = "index.html"


def run(names: Iterable[str], request: Request, output: Path | None = None) -> Iterator[str]:
    """Yield the report of each bench as one line of JSON, once it is done. Raises Problem."""
    for bench in [find(name) for name in names]:
        report = reported(bench, request)
        if output is not None:
            write(report, output)
        yield json.dumps(report)


def reported(bench: Bench, request: Request) -> dict[str, Any]:
    """Run one bench and judge its figures."""
    on = machine()  # First: afterwards the load is our own.
    outcome = bench.run(request)
    figures = _sections(outcome)
    goals = judged(figures, bench.goals)
    about = {"bench": bench.name, "machine": on, "repeats": outcome.repeats, "data": outcome.data}
    return {**about, **figures, "goals": goals, "met": all(goal["met"] for goal in goals.values())}


def write(report: dict[str, Any], output: Path) -> None:
    """Write a report, and the page of all reports that lie in the folder by then."""
    from benchmarks.page import page

    output.mkdir(parents=True, exist_ok=True)
    (output / f"{report['bench']}.json").write_text(json.dumps(report, indent=2) + "\n")
    files = [output / f"{name}.json" for name in BENCHES]
    reports = [json.loads(file.read_text()) for file in files if file.exists()]
    (output / PAGE).write_text(page([(find(one["bench"]), one) for one in reports]))


def _sections(outcome: Outcome) -> dict[str, Any]:
    return {
        "ours": outcome.ours,
        "floor": outcome.floor,
        "peers": outcome.peers,
        "ratios": outcome.ratios,
    }
