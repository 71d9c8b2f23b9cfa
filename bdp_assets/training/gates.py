"""The gates between a trained model and service: each judges one property on matured test rows."""

from __future__ import annotations

import numpy as np
import polars as pl

from bdp_assets.decisions.tuning import costs_of
from bdp_assets.training.bits import Scorer, differing
from bdp_assets.training.bootstrap import Difference
from bdp_assets.training.contest import AP, DAILY_COST, Contender, differences, reviews_a_day
from bdp_assets.training.evaluate import calibration_curve
from bdp_assets.training.gate import (
    AVERAGE_PRECISION,
    BITS,
    CALIBRATION,
    COST,
    EXPORT,
    LATENCY,
    REVIEW_CAPACITY,
    Gate,
)
from bdp_assets.training.latency import Latency, single_row
from bdp_assets.training.pipeline import AGREEMENT, Doubles, matrix_of
from bdp_assets.training.weighted import Calibration

LEAST_FRAUDS = 30
"""Of the rows that two models are compared on. With fewer an interval says nothing: it is so wide that it
touches 0 for a model that is far worse, too. A usual week of the demo has 75."""
MOST_ERROR = 0.5
"""Calibration error, as a share of the fraud share: a model that always says 0 has an error of 1."""
MOST_ERROR_ADDED = 0.25
"""How much more of it than the champion's."""
MOST_REVIEWS = 1.25
"""Reviews a day, as a share of the capacity that the policy was tuned for: on other days than these."""
MOST_RATIO = 5.0
"""Time of a single row's score, in calls of an empty graph. Our recipe takes some 1.2, compiled (ADR 61), and
took 10 to 13 when it was not: what keeps a model from being compiled fails. With four busy processes on two
cores it is below 2."""


NO_CHAMPION = "there is no champion to compare with"


def judge(
    rows: pl.DataFrame, contender: Contender, champion: Contender | None, alone: str | None = None
) -> tuple[Gate, ...]:
    """All verdicts but that on what was served; without a champion nothing is compared with it.

    `rows`: customer_id, ts_ms, is_fraud (bool, both kinds) and the features; the contenders scored them.
    `alone`: why it is not to be compared with the champion that there is; then what compares does not judge.
    """
    matrix = matrix_of(rows)
    return (
        *_contest(rows, contender, champion, alone),
        review_capacity_gate(rows, contender, champion, alone),
        calibration_gate(rows, contender, champion),
        export_gate(contender.export_gap),
        bits_gate(contender.scorer, matrix),
        latency_gate(single_row(contender.scorer, matrix)),
    )


def _contest(
    rows: pl.DataFrame, contender: Contender, champion: Contender | None, alone: str | None
) -> tuple[Gate, Gate]:
    if champion is None:
        return _both(alone or NO_CHAMPION, passed=_by_default(alone))
    frauds = int(rows["is_fraud"].sum())
    if frauds < LEAST_FRAUDS:
        return _both(_too_few(frauds, champion.version), passed=False)
    found = differences(rows, contender, champion, costs_of(champion.policy), (AP, DAILY_COST))
    return (
        average_precision_gate(found[AP], champion.version),
        cost_gate(found[DAILY_COST], champion.version),
    )


def _by_default(alone: str | None) -> bool | None:
    """The verdict of what compares, where there is nothing to compare with: a first model passes."""
    return True if alone is None else None


def _both(says: str, *, passed: bool | None) -> tuple[Gate, Gate]:
    return Gate(AVERAGE_PRECISION, passed=passed, says=says), Gate(COST, passed=passed, says=says)


def _too_few(frauds: int, champion: str) -> str:
    return (
        f"{frauds} frauds in the test rows are too few to compare with champion {champion}, at least "
        f"{LEAST_FRAUDS} are needed: test on more days (`bdp train --test-days`), or wait for labels"
    )


def average_precision_gate(found: Difference, champion: str) -> Gate:
    verb = "is worse than" if found.high < 0 else "is not worse than"
    says = (
        f"average precision {found.one:.4f} {verb} champion {champion}'s {found.other:.4f} on the same test "
        f"rows (difference {found.value:+.4f}, 95% {found.low:+.4f} to {found.high:+.4f})"
    )
    return Gate(AVERAGE_PRECISION, passed=found.high >= 0, says=says, figures=_figures(found))


def cost_gate(found: Difference, champion: str) -> Gate:
    """Figures in minor units of the base currency a day."""
    verb = "is worse than" if found.low > 0 else "is not worse than"
    one, other, value, low, high = (
        minor / 100 for minor in (found.one, found.other, found.value, found.low, found.high)
    )
    says = (
        f"a cost of {one:,.2f} a day {verb} champion {champion}'s {other:,.2f} on the same test rows "
        f"(difference {value:+,.2f}, 95% {low:+,.2f} to {high:+,.2f})"
    )
    return Gate(COST, passed=found.low <= 0, says=says, figures=_figures(found))


def review_capacity_gate(
    rows: pl.DataFrame, contender: Contender, champion: Contender | None, alone: str | None = None
) -> Gate:
    """The cost takes every review for done: those that nobody has time for find nothing."""
    costs = contender.policy.costs
    if costs is None:
        return Gate(REVIEW_CAPACITY, passed=True, says="its policy does not say for how many there is time")
    asked, most = reviews_a_day(rows, contender), MOST_REVIEWS * costs.reviews_per_day
    figures = {"reviews": asked, "capacity": float(costs.reviews_per_day), "most": most}
    says = (
        f"{asked:,.1f} reviews a day of the test rows, where there is time for {costs.reviews_per_day:,} "
        f"(most allowed {most:,.1f})"
    )
    if champion is None:
        says, passed = f"{says}; {alone or NO_CHAMPION}", _by_default(alone)
        return Gate(REVIEW_CAPACITY, passed=passed, says=says, figures=figures)
    theirs = reviews_a_day(rows, champion)
    figures["champion"], passed = theirs, asked <= max(most, theirs)
    says = f"{says}, and champion {champion.version} asks for {theirs:,.1f}"
    if not passed:
        says = f"{says}: say how many there is time for (`bdp policy tune --reviews-per-day`) and train again"
    return Gate(REVIEW_CAPACITY, passed=passed, says=says, figures=figures)


def calibration_gate(rows: pl.DataFrame, contender: Contender, champion: Contender | None) -> Gate:
    """What few rows make of an error by chance is allowed for."""
    fraud, once = rows["is_fraud"].to_numpy(), np.ones(len(rows))
    own, share = Calibration(contender.probability, fraud), float(fraud.mean())
    error, most = own.error(once), MOST_ERROR * share + own.by_chance()
    figures = {"error": error, "most": most, "fraud_share": share}
    says = f"a calibration error of {error:.4f} (most allowed {most:.4f}, half of the fraud share and chance)"
    if champion is not None:
        theirs = Calibration(champion.probability, fraud).error(once)
        most = min(most, theirs + MOST_ERROR_ADDED * share)
        figures |= {"champion": theirs, "most": most}
        says = (
            f"a calibration error of {error:.4f} beside champion {champion.version}'s {theirs:.4f} "
            f"(most allowed {most:.4f})"
        )
    curve = calibration_curve(contender.probability, fraud)
    return Gate(CALIBRATION, passed=error <= most, says=says, figures=figures, table=curve)


def export_gate(gap: float | None) -> Gate:
    if gap is None:
        return Gate(EXPORT, passed=True, says="compared as it was trained; the figure was not kept then")
    says = f"the graphs differ from the training library by at most {gap:.1e} (most allowed {AGREEMENT})"
    return Gate(EXPORT, passed=gap <= AGREEMENT, says=says, figures={"gap": gap, "most": AGREEMENT})


def bits_gate(scorer: Scorer, matrix: Doubles) -> Gate:
    found = differing(scorer, matrix)
    table = pl.DataFrame({"batch": list(found), "differing rows": list(found.values())})
    says = "the same bits in " + ", ".join(f"{size:,}" for size in found)
    if any(found.values()):
        told = (f"{rows:,} in batches of {size:,}" for size, rows in found.items() if rows)
        says = f"rows with other bits than in one batch of all: {', '.join(told)}"
    figures = {f"batches_of_{size}": float(rows) for size, rows in found.items()}
    return Gate(BITS, passed=not any(found.values()), says=says, figures=figures, table=table)


def latency_gate(taken: Latency) -> Gate:
    says = (
        f"a single row takes {taken.score_us:.0f} us, {taken.ratio:.1f} times an empty graph "
        f"(most allowed {MOST_RATIO:g})"
    )
    figures = {"score_us": taken.score_us, "floor_us": taken.floor_us, "ratio": taken.ratio}
    return Gate(LATENCY, passed=taken.ratio <= MOST_RATIO, says=says, figures=figures)


def _figures(found: Difference) -> dict[str, float]:
    return {
        "value": found.one,
        "champion": found.other,
        "difference": found.value,
        "low": found.low,
        "high": found.high,
    }
