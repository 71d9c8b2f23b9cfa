from __future__ import annotations

import io
import json
import time
from types import SimpleNamespace

import pytest
from rich.console import Console

from bdp_assets.cli import watch_view
from bdp_assets.operations.watching.alarms import Alarm
from bdp_assets.operations.watching.screen import Screen, Section
from bdp_assets.operations.watching.sections import AssetRow, LatencyRow, RateRow, TopicRow
from bdp_assets.runtime.status import Row

ALARMS = [
    Alarm(
        f"Alert{n}", "critical", "platform", "It is [down].", "docs/runbook.md#workerdown", time.time() - 90
    )
    for n in range(watch_view.MOST_ALERTS + 2)
]
FULL = Screen(
    programs=Section(
        [Row("kafka", "running", 1, 61, 300 * 1024**2, restarts=3), Row("api", "fatal", detail="oh")]
    ),
    topics=Section([TopicRow("transactions-raw-v1", 12.0, "bdp-scoring", 11.0, 1_234)]),
    rates=Section(
        [RateRow("API calls", 5.0), RateRow("  answered 5xx", 0.5, 0.1)], note="labels does not answer"
    ),
    latencies=Section([LatencyRow("API: one prediction", 0.0021, None)]),
    alerts=Section(ALARMS),
    assets=Section(
        [AssetRow("raw/labels", 7_200.0, "late", ("fits",), ("warns",)), AssetRow("raw/x", None, "", (), ())]
    ),
)
AWAY = Screen(*(Section(away=f"part {n} is away") for n in range(6)))
TITLES = ("SERVICES", "TOPICS", "RATES", "LATENCY", "ALERTS", "ASSETS")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    written = io.StringIO()
    monkeypatch.setattr(watch_view, "console", Console(file=written, width=140, color_system=None))
    return written


def lines(screen: io.StringIO, beginning: str) -> list[str]:
    return [line for line in screen.getvalue().splitlines() if beginning in line]


def test_everything_is_on_one_screen(screen: io.StringIO) -> None:
    watch_view.show(FULL)
    text = screen.getvalue()
    assert all(title in text for title in TITLES)
    for shown in ("1,234", "12.0", "11.0", "10.0%", "2.1", "2 h", "It is [down].", "fits warns", "never"):
        assert shown in text
    assert "api: oh" in text
    assert "labels does not answer" in text
    assert "and 2 more" in text
    assert len(text.splitlines()) < 40
    [kafka] = lines(screen, "kafka")
    assert kafka.split()[:6] == ["kafka", "running", "0:01:01", "300", "MB", "3"]


@pytest.mark.parametrize("width", [80, 140])
def test_every_section_alone_says_that_its_part_is_away(width: int, monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.StringIO()
    monkeypatch.setattr(watch_view, "console", Console(file=written, width=width, color_system=None))
    watch_view.show(AWAY)
    assert all(f"part {n} is away" in written.getvalue() for n in range(6))
    assert all(title in written.getvalue() for title in TITLES)


def test_watching_ends_with_the_last_picture(screen: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def interrupt(seconds: float) -> None:
        waited.append(seconds)
        raise KeyboardInterrupt

    # Its own alone: other threads of this process sleep, too.
    monkeypatch.setattr(watch_view, "time", SimpleNamespace(**vars(time) | {"sleep": interrupt}))
    watch_view.watch(lambda: FULL, 5.0)
    assert waited == [5.0]
    assert "SERVICES" in screen.getvalue()


def test_scripts_get_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    watch_view.tell(lambda: FULL, 0.0, once=True)
    [line] = capsys.readouterr().out.splitlines()
    found = json.loads(line)
    assert found["topics"]["rows"][0]["lag"] == 1_234
    assert found["rates"]["note"] == "labels does not answer"
