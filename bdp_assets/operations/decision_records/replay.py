"""Records decided again, and compared bit for bit with what they say was decided."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.records import Prediction
from bdp_assets.decisions.record import Verdict
from bdp_assets.operations.decision_records.deciders import Deciders, NotReplayable
from bdp_assets.operations.decision_records.finding import Wanted, find
from bdp_assets.operations.decision_records.tables import API, sample
from bdp_assets.settings import Settings

_NO_FEATURES = "its features are not kept"
_API_ONLY = (
    ": the API's are in the online store while it knows the history, and in the lake since it keeps them"
)


class Outcome(StrEnum):
    EQUAL = "equal"
    DIFFERENT = "different"
    NOT_REPLAYABLE = "not replayable"


@dataclass(frozen=True)
class Replayed:
    """A record and what came out; `why`: what differs, or what is missing."""

    record: Prediction
    outcome: Outcome
    why: str = ""


def replay_one(settings: Settings, wanted: Wanted) -> list[Replayed]:
    """The decision of that transaction, made again. Raises DecisionUnknown."""
    return replay([find(settings, wanted).record], Deciders.of(settings))


def replay_sample(settings: Settings, lake: Lake, count: int, days: int) -> list[Replayed]:
    """A sample of the lake's decisions of the latest days that have any."""
    return replay(sample(lake, count, days), Deciders.of(settings))


def replay(records: Sequence[Prediction], deciders: Deciders) -> list[Replayed]:
    """Each decided again from itself alone, with the model, policy and rules that it names."""
    return [_replayed(record, deciders) for record in records]


def summary(replayed: Sequence[Replayed]) -> pl.DataFrame:
    """How many came out how and why, the most first: outcome, why, decisions."""
    counts = Counter((str(one.outcome), one.why) for one in replayed)
    rows = [(*kind, count) for kind, count in counts.most_common()]
    return pl.DataFrame(rows, {"outcome": pl.String, "why": pl.String, "decisions": pl.Int64}, orient="row")


def differences(record: Prediction, verdict: Verdict) -> list[str]:
    """What is not the same now, each with both values."""
    was = Verdict(
        record.fraud_probability,
        record.decision,
        record.reasons,
        record.severity,
        record.list_hits,
        record.decision_without_lists,
    )
    differing = []
    if _bits(was.probability) != _bits(verdict.probability):
        differing.append(f"fraud_probability {was.probability!r}, now {verdict.probability!r}")
    if was.decision is not verdict.decision:
        differing.append(f"decision {was.decision}, now {verdict.decision}")
    if was.without_lists is not verdict.without_lists:
        differing.append(f"decision without lists {was.without_lists}, now {verdict.without_lists}")
    if was.reasons != verdict.reasons:
        differing.append("reasons")
    # It came with the rules: records from before say neither.
    if was.severity is not verdict.severity and record.rules_version is not None:
        differing.append(f"severity {was.severity}, now {verdict.severity}")
    return differing


def _replayed(record: Prediction, deciders: Deciders) -> Replayed:
    try:
        verdict = _verdict(record, deciders)
    except NotReplayable as missing:
        return Replayed(record, Outcome.NOT_REPLAYABLE, str(missing))
    differing = differences(record, verdict)
    return Replayed(record, Outcome.DIFFERENT if differing else Outcome.EQUAL, "; ".join(differing))


def _verdict(record: Prediction, deciders: Deciders) -> Verdict:
    if not record.features:
        raise NotReplayable(_NO_FEATURES + (_API_ONLY if record.decided_by == API else ""))
    decider = deciders.named_by(record)
    try:
        return decider.decide_again(record)
    except KeyError as missing:
        raise NotReplayable(f"it has no feature {missing}, which the model reads") from missing
    except ValueError as error:
        raise NotReplayable(str(error)) from error


def _bits(number: float) -> bytes:
    return struct.pack("<d", number)
