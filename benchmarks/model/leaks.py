"""`bdp bench leaks`: what planted leaks would have promised, and whether the leak guard catches each."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from bdp_assets.features.batch import build_features
from bdp_assets.training.early_labels import Builder, History, early_labels
from bdp_assets.training.leaks import look_for_leaks
from bdp_assets.training.pipeline import Source, train
from bdp_assets.training.protocols import PROTOCOLS
from bdp_assets.training.split import TrainingData
from bdp_assets.training.tripwires import suspicions
from benchmarks.bench import Bench, Figures, Outcome, Request
from benchmarks.features.data import Given, given
from benchmarks.goals import Goal
from benchmarks.model.folds import DELAY_DAYS, FIRST_DAYS, folds
from benchmarks.model.plants import BUILDERS, split_at_random, with_features_of

CLEAN = "none"
MOST_AP = PROTOCOLS["handbook"].most_ap


def run(request: Request) -> Outcome:
    request.say("reading the transactions")
    return measured(given(request.data), request)


def measured(data: Given, request: Request) -> Outcome:
    """Every figure of the bench on the first of the folds."""
    request.say("features")
    [fold] = folds(data, (request.folds or FIRST_DAYS)[:1])
    history = History(data.transactions, data.labels)
    table = [_row(CLEAN, fold.ours, history, build_features, request)]
    for name, build in BUILDERS.items():
        table.append(_row(name, with_features_of(build, fold.ours, history), history, build, request))
    table.append(_row("random split", split_at_random(fold.ours), history, build_features, request))
    clean, *planted = table
    request.say("planted leak | AP without | AP with | caught by")
    for row in planted:
        request.say(_line(row, clean))
    return Outcome(
        repeats=1,
        data={**data.describe(), "folds": [fold.first_day.isoformat()]},
        ours={
            "planted": len(planted),
            "caught": sum(bool(row["caught_by"]) for row in planted),
            "false_alarms": int(bool(clean["caught_by"])),
            "ap_clean": clean["ap"],
            "ap_worst": max(row["ap"] for row in planted),
            "leaks": table,
        },
        floor={},
        ratios={},
    )


def _row(leak: str, data: TrainingData, history: History, build: Builder, request: Request) -> Figures:
    """One line of the leak table. The guard sees the code that leaks and, apart from it, what that stored."""
    request.say(f"leak: {leak}")
    code = early_labels(data.features, history, build=build)
    lake = look_for_leaks(data, history, DELAY_DAYS)
    moved, ahead, differs = _having(code, "moved"), _having(code, "ahead"), _having(lake.features, "differs")
    trained = train(data, Source(name="bench", trained_at_ms=0))
    return {
        "leak": leak,
        "ap": round(trained.metrics["average_precision"], 4),
        "caught_by": [
            *_features(moved, "reads labels nobody knew yet"),
            *_features(ahead, "reads later transactions"),
            *_features(differs, "stored values do not follow from what was known"),
            *lake.split,
        ],
        "moved": moved,
        "ahead": ahead,
        "differs": differs,
        "suspicions": list(suspicions(trained.test, MOST_AP)),
    }


def _features(found: Mapping[str, int], what: str) -> list[str]:
    if not found:
        return []
    first = max(found, key=lambda name: found[name])
    return [f"{what}: {first} ({found[first]} rows) and {len(found) - 1} more features"]


def _having(table: pl.DataFrame, count: str) -> dict[str, int]:
    """Features with how many rows of the sample, where there are any."""
    return dict(table.filter(pl.col(count) > 0).select("feature", count).iter_rows())


def _line(row: Figures, clean: Figures) -> str:
    return f"{row['leak']} | {clean['ap']:.3f} | {row['ap']:.3f} | {'; '.join(row['caught_by']) or 'nobody'}"


BENCH = Bench(
    name="leaks",
    summary="leaks planted in the Handbook's data: what each promises, and what the leak guard says",
    run=run,
    goals={"ours.caught": Goal(least=5), "ours.false_alarms": Goal(most=0)},
)
