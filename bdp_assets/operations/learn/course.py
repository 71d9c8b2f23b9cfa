"""The twelve lessons, in their order."""

from __future__ import annotations

from bdp_assets.operations.learn import (
    dead_letter,
    first_decisions,
    first_start,
    killed_worker,
    own_asset,
    own_feature,
    own_policy,
    own_rule,
    own_source,
    own_training,
    questions,
    recovery,
)
from bdp_assets.operations.learn.lesson import Lesson, Level, Missing
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

_FIRST, _SECOND, _THIRD = Level

LESSONS = (
    Lesson(1, _FIRST, "first-start", "Start, and find your way", "a platform and a key", first_start.look),
    Lesson(2, _FIRST, "first-decisions", "Ask for a decision", "two decisions", first_decisions.look),
    Lesson(3, _FIRST, "dead-letter", "Break a contract, and mend it", "a mended letter", dead_letter.look),
    Lesson(4, _FIRST, "own-source", "A source of your own", "a source", own_source.look),
    Lesson(5, _SECOND, "own-training", "Labels, and a model of your own", "a model", own_training.look),
    Lesson(6, _SECOND, "own-policy", "What does a decision cost?", "a policy that serves", own_policy.look),
    Lesson(7, _SECOND, "own-rule", "A rule and a block list", "a rule and an entry", own_rule.look),
    Lesson(8, _SECOND, "questions", "Three questions in SQL", "three views", questions.look),
    Lesson(9, _THIRD, "own-feature", "A feature of your own", "a proven feature", own_feature.look),
    Lesson(10, _THIRD, "own-asset", "An asset and a check", "an asset with a check", own_asset.look),
    Lesson(11, _THIRD, "killed-worker", "Kill it, and prove it", "a survived kill", killed_worker.look),
    Lesson(12, _THIRD, "recovery", "Scale, watch, back up, restore", "a proven backup", recovery.look),
)


def find(number: int) -> Lesson:
    """Raises Problem where there is no such lesson."""
    if not 1 <= number <= len(LESSONS):
        raise Problem(f"There is no lesson {number}.", f"`bdp learn list` shows all {len(LESSONS)}.")
    return LESSONS[number - 1]


def check(settings: Settings, number: int) -> list[Missing]:
    """What the lesson builds and is not there; empty: it is done. Raises what its look raises."""
    return list(find(number).look(settings))
