"""Calls counted and judged, against a plain list of them; the objectives against those of the alerts."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bdp_assets.operations.load import slo
from bdp_assets.operations.load.choices import Profile
from bdp_assets.operations.load.report import as_values
from bdp_assets.operations.load.schedule import Schedule
from bdp_assets.operations.load.slo import Objective
from bdp_assets.operations.load.tally import Outcome, Tally
from bdp_assets.operations.load.verdict import holds, judge
from bdp_assets_tests.effort import cases

RULES = Path(__file__).parents[4] / "deploy/monitoring/rules/slo.yml"
OUTCOMES = [
    Outcome("200", right=True, served=True),
    Outcome("429", right=False, served=True),
    Outcome("503", right=False, served=False),
]
SPIKE = Schedule.of(Profile.SPIKE, 10, 5)
OBJECTIVES = (Objective("served", allowed=0.1), Objective("fast", allowed=0.3, within_s=0.05))
calls = st.tuples(st.floats(0, 0.2), st.sampled_from(OUTCOMES))


def played(what: list[tuple[float, Outcome]]) -> Tally:
    tally = Tally(SPIKE, OBJECTIVES)
    for number, (latency_s, outcome) in enumerate(what):
        tally.ended(number, latency_s, outcome)
    tally.elapsed_s = SPIKE.seconds
    return tally


@settings(max_examples=cases(100))
@given(st.lists(calls, min_size=len(SPIKE.times), max_size=len(SPIKE.times)))
def test_each_objective_is_judged_in_each_phase_by_its_own_calls(what: list[tuple[float, Outcome]]) -> None:
    tally, start, expected = played(what), 0, []
    for phase in SPIKE.phases:
        mine = what[start : start + phase.calls]
        start += phase.calls
        unserved = sum(outcome.name == "503" for _, outcome in mine)
        slow = sum(outcome.name != "200" or latency_s > 0.05 for latency_s, outcome in mine)
        expected += [(phase.name, "served", unserved), (phase.name, "fast", slow)]
    judged = judge(tally)
    assert [(one.phase, one.objective.name, one.bad) for one in judged] == expected
    assert all(one.holds == (one.bad <= one.objective.allowed * one.calls) for one in judged)
    assert holds(tally) == all(one.holds for one in judged)


@settings(max_examples=cases(50))
@given(st.lists(calls, max_size=len(SPIKE.times)))
def test_the_sum_of_the_phases_is_all_there_is(what: list[tuple[float, Outcome]]) -> None:
    values = as_values(played(what))
    names = [outcome.name for _, outcome in what]
    assert values["all"]["outcomes"] == {name: names.count(name) for name in sorted(set(names))}
    assert values["all"]["calls"] == len(what) == sum(phase["calls"] for phase in values["phases"])


def test_a_phase_that_was_never_reached_is_not_judged_and_an_empty_one_fails() -> None:
    tally = Tally(SPIKE, OBJECTIVES)
    tally.ended(0, 0.001, OUTCOMES[0])
    tally.elapsed_s = 0.1
    assert holds(tally)
    assert {one.phase for one in judge(tally)} == {"before"}
    tally.elapsed_s = SPIKE.seconds
    assert {one.phase for one in judge(tally) if not one.holds} == {"spike", "after"}


def test_what_was_counted_lately_is_told_once() -> None:
    tally = played([(0.01, OUTCOMES[0])] * 3)
    assert tally.recent().calls == 3
    assert tally.recent().calls == 0
    assert tally.total().calls == 3


def test_objectives_are_those_of_the_alerts() -> None:
    groups: list[dict[str, Any]] = yaml.safe_load(RULES.read_text())["groups"]
    budgets = {
        rule["labels"]["slo"]: float(rule["expr"].removeprefix("vector(").removesuffix(")"))
        for rule in groups[0]["rules"]
        if rule["record"] == "slo:budget:ratio"
    }
    bounds = {
        rule["labels"]["slo"]: float(found.group(1))
        if (found := re.search(r'le="([\d.]+)"', rule["expr"]))
        else None
        for rule in groups[1]["rules"]
    }
    for objective in (*slo.API, *slo.TOPIC):
        assert objective.allowed == budgets[objective.name]
        assert objective.within_s == bounds[objective.name]
