"""`bdp bench score`: whole tables through the ensemble, against scikit-learn on as many cores."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from bdp_assets.runtime.problems import Problem
from benchmarks.alternation import Times, alternated
from benchmarks.bench import Bench, Figures, Outcome, Plot, Request
from benchmarks.features.data import Given, given
from benchmarks.goals import Goal
from benchmarks.score import sides
from benchmarks.score.file_memory import memory_of_files
from benchmarks.score.world import CORES, World, world

REPEATS = 3
TOLERANCE = 2e-6
"""As training asks of every export."""
SIDES = {"ours": sides.ours, "sklearn": sides.sklearn, "onnxruntime": sides.onnxruntime}


def run(request: Request) -> Outcome:
    request.say("reading the transactions")
    data = given(request.data)
    if data.synthetic:
        request.say("SYNTHETIC DATA: the Handbook's file is not at hand (--data FILE names it)")
    return measured(data, world(data, request.say), request)


def measured(data: Given, of: World, request: Request) -> Outcome:
    """Every figure of the bench on this data."""
    repeats = request.repeats or REPEATS
    request.say("do all sides answer the same?")
    agreement = agreed(of)
    times = alternated({name: partial(side, of) for name, side in SIDES.items()}, repeats, request.say)
    request.say("memory of whole files, each in a process of its own")
    memory = memory_of_files(of)
    figures = {name: _figures(found, data.rows) for name, found in times.items()}
    whole, quarter = memory["whole"], memory["quarter"]
    return Outcome(
        repeats=repeats,
        data={**data.describe(), **of.describe(), "cores": CORES, "agreement": agreement},
        ours={
            "rows": data.rows,
            **figures.pop("ours"),
            "peak_rss_bytes": whole["peak_rss_bytes"],
            "peak_rss_quarter_bytes": quarter["peak_rss_bytes"],
            "file": whole,
            "quarter_file": quarter,
        },
        floor={},
        peers=figures,
        ratios={
            **{f"speed_vs_{name}": _faster(times, name) for name in figures},
            "peak_rss_vs_quarter": round(whole["peak_rss_bytes"] / quarter["peak_rss_bytes"], 3),
        },
    )


def agreed(of: World) -> Mapping[str, Any]:
    """How far each side is from ours at most. Raises Problem where that is more than the tolerance."""
    own = sides.ours(of)
    gaps = {
        name: float(np.abs(side(of) - own).max(initial=0.0)) for name, side in SIDES.items() if name != "ours"
    }
    wrong = [f"{name} by {gap:.3g}" for name, gap in gaps.items() if not gap <= TOLERANCE]
    if wrong:
        raise Problem(
            f"The sides answer different things: {', '.join(wrong)}.",
            "Mend that first; their times mean nothing.",
        )
    return {"tolerance": TOLERANCE, "rows": len(own), "largest_difference": gaps}


def _figures(times: Times, rows: int) -> Figures:
    return {**times.figures(), "rows_per_s": round(rows / times.median), "threads": CORES}


def _faster(times: Mapping[str, Times], than: str) -> float:
    return round(times[than].median / times["ours"].median, 2)


BENCH = Bench(
    name="score",
    summary="fraud probabilities of whole tables; scikit-learn and ONNX Runtime are peers, on as many cores",
    run=run,
    goals={
        "ratios.speed_vs_sklearn": Goal(least=1.5),
        # Beside the interpreter there are buffers of a row group; a file read as a whole would be above 2.
        "ratios.peak_rss_vs_quarter": Goal(most=1.25),
    },
    plots=(
        Plot(
            "All rows, equal cores",
            "seconds",
            {
                "ours": "ours.seconds_s",
                "ONNX Runtime": "peers.onnxruntime.seconds_s",
                "scikit-learn": "peers.sklearn.seconds_s",
            },
        ),
        Plot(
            "Peak memory of `bdp score --features`",
            "MB",
            {"all rows": "ours.peak_rss_bytes", "a quarter": "ours.peak_rss_quarter_bytes"},
            unit=1e6,
        ),
    ),
)
