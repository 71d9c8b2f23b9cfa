"""Lesson 10: an asset of the learner's was materialised in the platform's Dagster, and its check passed."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.clients.dagster.own_assets import checks_of_run, last_run
from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.settings import Settings

ASSET = "learn/countries"


def look(settings: Settings) -> Iterator[Missing]:
    """Raises ControlPlaneUnavailable."""
    run = last_run(settings, ASSET)
    if run is None:
        yield Missing(f"{ASSET} was never materialised.", 2)
        return
    checks = checks_of_run(settings, run, ASSET)
    if not checks:
        yield Missing(f"The last run of {ASSET} evaluated no check of it.", 1)
    for name, passed in checks.items():
        if not passed:
            yield Missing(f"The check {name} of {ASSET} failed in its last run.", 1)
