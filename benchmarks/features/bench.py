"""`bdp bench features`: the 12 Handbook windows, ours against NumPy, DuckDB and the Handbook's pandas."""

from __future__ import annotations

from functools import partial
from typing import Any

from bdp_assets.features.batch import build_features
from bdp_assets.features.catalog import CATALOG, HANDBOOK
from benchmarks.alternation import Times, alternated
from benchmarks.bench import Bench, Figures, Outcome, Plot, Request
from benchmarks.features import duckdb_peer, numpy_floor, ours, pandas_peer
from benchmarks.features.agreement import agreed
from benchmarks.features.data import Given, given, tenths
from benchmarks.features.side_memory import memory_of_sides
from benchmarks.goals import Goal

REPEATS = 5
SIZES = (1, 3, 10)
"""Tenths of the rows for the growth: the last is all of them."""


def run(request: Request) -> Outcome:
    request.say("reading the transactions")
    data = given(request.data)
    if data.synthetic:
        request.say("SYNTHETIC DATA: the Handbook's file is not at hand (--data FILE names it)")
    return measured(data, request)


def measured(data: Given, request: Request) -> Outcome:
    """Every figure of the bench on this data."""
    repeats, sample = request.repeats or REPEATS, pandas_peer.sample(data)
    request.say("do all sides answer the same?")
    agreement = agreed(data, sample)
    times = alternated(_sides(data, sample), repeats, request.say)
    growth = _growth(data, repeats, request)
    catalog = _whole_catalog(data, repeats, request)
    request.say("memory, each side in a process of its own")
    memory = memory_of_sides(data)
    handbook = _extrapolated(data, sample, times)
    mine, floor = times["ours"].median, times["numpy"].median
    return Outcome(
        repeats=repeats,
        data={**data.describe(), "agreement": agreement},
        ours={
            "rows": data.rows,
            "features": len(HANDBOOK.names),
            **times["ours"].figures(),
            "rows_per_s": round(data.rows / mine),
            **memory["ours"],
            "growth": growth["ours"],
            "catalog": catalog,
        },
        floor={**times["numpy"].figures(), **memory["numpy"], "growth": growth["numpy"], "threads": 1},
        peers={"duckdb": {**times["duckdb"].figures(), **memory["duckdb"]}, "handbook": handbook},
        ratios={
            "time_vs_numpy": round(mine / floor, 3),
            "time_vs_duckdb": round(mine / times["duckdb"].median, 3),
            "speed_vs_handbook": round(handbook["seconds_s"] / mine, 1),
            "growth_10x": growth["ours"]["growth_10x"],
            "peak_rss_vs_data": memory["ours"]["peak_rss_vs_data"],
        },
    )


def _sides(data: Given, sample: pandas_peer.Sample) -> dict[str, Any]:
    return {
        "ours": partial(ours.features, data),
        "numpy": partial(numpy_floor.features, data),
        "duckdb": partial(duckdb_peer.features, data),
        "handbook_customers": partial(pandas_peer.of_customers, sample.customers),
        "handbook_terminals": partial(pandas_peer.of_terminals, sample.terminals),
    }


def _extrapolated(data: Given, sample: pandas_peer.Sample, times: dict[str, Times]) -> Figures:
    """The Handbook's way on all rows, from its time on whole customers and whole terminals."""
    parts = {"customers": sample.customers, "terminals": sample.terminals}
    seconds = {name: times[f"handbook_{name}"].median for name in parts}
    return {
        "seconds_s": round(sum(seconds[name] * data.rows / len(rows) for name, rows in parts.items()), 2),
        "extrapolated": True,
        "sampled_rows": {name: len(rows) for name, rows in parts.items()},
        "sampled_seconds_s": {name: round(found, 4) for name, found in seconds.items()},
    }


def _growth(data: Given, repeats: int, request: Request) -> dict[str, Figures]:
    """Time by size, and how much longer ten times the rows take than ten times the time."""
    parts = {size: tenths(data, size) for size in SIZES}
    engines = {"ours": ours.features, "numpy": numpy_floor.features}
    sides = {f"{n} {size}x": partial(f, rows) for size, rows in parts.items() for n, f in engines.items()}
    times = alternated(sides, repeats, request.say)
    return {
        name: {
            "rows": {f"{size}x": rows.rows for size, rows in parts.items()},
            **{f"{size}x_s": round(times[f"{name} {size}x"].median, 4) for size in SIZES},
            "growth_10x": round(times[f"{name} 10x"].median / (10 * times[f"{name} 1x"].median), 3),
        }
        for name in engines
    }


def _whole_catalog(data: Given, repeats: int, request: Request) -> Figures:
    """Our own features on the same rows: nobody else has them, so there is nothing to compare with."""
    side = partial(build_features, data.transactions, data.labels, CATALOG)
    times = alternated({"our catalog": side}, repeats, request.say)["our catalog"]
    return {
        "features": len(CATALOG.names),
        **times.figures(),
        "seconds_per_million_rows_s": round(times.median / data.rows * 1e6, 4),
    }


BENCH = Bench(
    name="features",
    summary="12 Handbook window features over whole tables; NumPy is the floor, DuckDB and pandas are peers",
    run=run,
    goals={
        "ratios.time_vs_numpy": Goal(most=1.0),
        "ratios.speed_vs_handbook": Goal(least=100),
        "ratios.growth_10x": Goal(most=1.2),
        "ratios.peak_rss_vs_data": Goal(most=2),
    },
    plots=(
        Plot(
            "12 windows, all rows",
            "seconds (log scale)",
            {
                "ours": "ours.seconds_s",
                "NumPy floor": "floor.seconds_s",
                "DuckDB": "peers.duckdb.seconds_s",
                "Handbook's pandas": "peers.handbook.seconds_s",
            },
            logarithmic=True,
        ),
        Plot(
            "Time by size",
            "seconds",
            {f"{size}/10 of the rows": f"ours.growth.{size}x_s" for size in SIZES},
        ),
        Plot(
            "Peak memory above imports",
            "MB",
            {
                "ours": "ours.peak_above_imports_bytes",
                "NumPy floor": "floor.peak_above_imports_bytes",
                "DuckDB": "peers.duckdb.peak_above_imports_bytes",
            },
            unit=1e6,
        ),
    ),
)
