"""What a run says, to people."""

from __future__ import annotations

import pytest
from rich.console import Console

from bdp_assets.operations.load import report, slo
from bdp_assets.operations.load.choices import Profile
from bdp_assets.operations.load.schedule import Schedule
from bdp_assets.operations.load.tally import NOT_SENT, Outcome, Tally

FINE = Outcome("200", right=True, served=True)


def tally_of(latencies_s: list[float], calls: int) -> Tally:
    tally = Tally(Schedule.of(Profile.STEADY, calls, 1.0), slo.API)
    for number, latency_s in enumerate(latencies_s):
        tally.sent(number, latency_s / 2)
        tally.ended(number, latency_s, FINE)
    tally.elapsed_s = 1.0
    return tally


def shown(tally: Tally) -> str:
    console = Console(width=200)
    with console.capture() as captured:
        console.print(report.as_text(tally))
    return captured.get()


def test_a_run_that_held_says_so_with_its_figures() -> None:
    text = shown(tally_of([0.02] * 99 + [0.3], 100))
    assert "Every objective held." in text
    assert "1 of 100" in text
    assert all(figure in text for figure in ("300.0", "77.5", "100 200"))
    assert "early" not in text


@pytest.mark.parametrize(("missing", "says"), [(0, "FAILED: api_latency (steady)"), (40, "60 calls of 100")])
def test_what_failed_and_what_was_left_out_is_named(missing: int, says: str) -> None:
    assert says in shown(tally_of([0.06] * (100 - missing), 100))


def test_calls_that_were_never_sent_fail_both_objectives() -> None:
    tally = tally_of([0.001] * 99, 100)
    tally.ended(99, 5.0, NOT_SENT)
    values = report.as_values(tally)
    assert values["all"]["outcomes"] == {"200": 99, "not sent": 1}
    assert [(one["objective"], one["bad"], one["holds"]) for one in values["objectives"]] == [
        ("api_availability", 1, False),
        ("api_latency", 1, True),
    ]
    assert values["all"]["achieved_rate"] == pytest.approx(99 / 5.99, abs=0.01)


def test_a_line_is_of_what_came_since_the_last() -> None:
    tally = tally_of([0.02] * 10, 10)
    assert "10 200" in report.line(tally)
    assert "nothing came back" in report.line(tally)
