"""Backups are of what is ours alone."""

from __future__ import annotations

from pathlib import Path

from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


def require_local(settings: Settings) -> None:
    """Raises Problem where a part of the platform's data is in a system of the user's own."""
    named = settings.own_systems
    if "://" not in settings.lake and not Path(settings.lake).resolve().is_relative_to(
        settings.home.resolve()
    ):
        named = [*named, "BDP_LAKE_URL"]
    if named:
        raise Problem(
            f"{', '.join(named)} is set: a part of the data is not in {settings.home}, and a copy of the "
            "rest would not agree with it.",
            "Back up that system and BDP_HOME by its own means, with the platform stopped: docs/backup.md.",
        )
