"""The real Prometheus and Alertmanager, as fast as a test wants them."""

from __future__ import annotations

import os
import re
import signal

import pytest

from bdp_assets.runtime import monitoring
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.supervisor import Supervisor
from bdp_assets.settings import Settings

NAMED = ("prometheus_port", "alertmanager_port", "exporter_port")
SHORT = {
    "prometheus.yml": r"\b(?:10|15)s",
    "alertmanager.yml": r"\b\d+[sm]\b",
    "rules/alerts.yml": r"(?<=for: )\d+m",
}
"""What is a second in the test: how often is looked, and how long is waited."""


def require_programs() -> None:
    """Skip the test where they are not installed; in CI they have to be."""
    try:
        monitoring.required()
    except Problem as missing:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(str(missing))


def hurry(settings: Settings) -> None:
    """Seconds instead of minutes, in the files that the programs read."""
    for name, durations in SHORT.items():
        file = monitoring.folder(settings) / name
        file.write_text(re.sub(durations, "1s", file.read_text()))
    for program in (monitoring.PROMETHEUS, monitoring.ALERTMANAGER):
        os.kill(Supervisor(settings.home).state(program).pid, signal.SIGHUP)
