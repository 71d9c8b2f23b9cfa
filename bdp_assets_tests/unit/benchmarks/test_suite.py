"""What `bdp bench` reports: one JSON object a bench, a file each, and one page that loads nothing."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bdp_assets.runtime.problems import Problem
from benchmarks import registry, suite
from benchmarks.bench import Bench, Outcome, Plot, Request
from benchmarks.goals import Goal

SECTIONS = ("ours", "floor", "peers", "ratios", "goals")
UNITS = ("_s", "_ms", "_bytes", "_per_s", "_mean")  # A mean of the folds' shares has none.


def outcome(request: Request) -> Outcome:
    request.say("under way")
    return Outcome(
        repeats=request.repeats or 3,
        data={"rows": 7, "synthetic": True},
        ours={"seconds_s": 2.0},
        floor={"seconds_s": 4.0},
        ratios={"time": 0.5},
    )


def bench(**goals: Goal) -> Bench:
    named = {f"ratios.{name}": goal for name, goal in goals.items()}
    pair = {"ours": "ours.seconds_s", "floor": "floor.seconds_s"}
    return Bench("toy", "a <toy>", outcome, named, (Plot("Time", "seconds", pair, logarithmic=True),))


@pytest.fixture
def toy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(suite, "BENCHES", {"toy": "nowhere"})
    monkeypatch.setattr(suite, "find", lambda _: bench(time=Goal(most=1.0)))


def test_a_report_has_every_section_and_the_verdict() -> None:
    report = suite.reported(bench(time=Goal(most=0.4)), Request(repeats=2))
    assert list(report) == ["bench", "machine", "repeats", "data", *SECTIONS, "met"]
    assert (report["bench"], report["repeats"], report["met"]) == ("toy", 2, False)
    assert report["goals"] == {"ratios.time": {"max": 0.4, "met": False}}
    assert {"cpu", "cores", "memory_bytes", "load_1m", "python"} <= report["machine"].keys()


def test_all_goals_must_be_met() -> None:
    assert suite.reported(bench(time=Goal(most=0.5)), Request())["met"]
    assert suite.reported(bench(), Request())["met"]


@pytest.mark.usefixtures("toy")
def test_each_report_is_one_line_of_json_and_a_file(tmp_path: Path) -> None:
    (line,) = suite.run(["toy"], Request(), tmp_path / "new")
    assert "\n" not in line
    assert json.loads((tmp_path / "new" / "toy.json").read_text()) == json.loads(line)


@pytest.mark.usefixtures("toy")
def test_the_page_shows_figures_and_loads_nothing(tmp_path: Path) -> None:
    list(suite.run(["toy"], Request(), tmp_path))
    html = (tmp_path / suite.PAGE).read_text()
    assert "a &lt;toy&gt;" in html
    assert html.count("<svg") == 2  # The goals, and the bench's own plot.
    assert "made up" in html
    assert not re.search(r"(src|href)=\"(?!#)|@import|url\((?!#)", html)


def test_every_bench_there_is_judges_and_draws_figures_with_units() -> None:
    for name in registry.BENCHES:
        found = registry.find(name)
        assert found.name == name
        assert found.goals
        assert all(path.split(".")[0] in ("ours", "ratios", "peers") for path in found.goals)
        drawn = [path for plot in found.plots for path in plot.figures.values()]
        assert all(path.endswith(UNITS) for path in drawn)


def test_an_unknown_bench_is_told_with_those_there_are() -> None:
    with pytest.raises(Problem, match=r"no bench called 'nope'.*\n.*features, ingest, leaks, model, online"):
        registry.find("nope")
