"""Lesson 1: everything answers, a model serves, and the learner has a key of the API."""

from __future__ import annotations

from collections.abc import Iterator

from bdp_assets.operations.learn.lesson import Missing
from bdp_assets.runtime.status import rows
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bento.access.file import load
from bento.access.scopes import Scope

KEY = "learner"


def look(settings: Settings) -> Iterator[Missing]:
    """Raises KeyFileError."""
    away = [row.name for row in rows(settings) if row.state not in ("running", "yours")]
    if away:
        yield Missing(f"These programs do not answer: {', '.join(away)}.", 1)
    if LocalBundles(settings.models_dir).active() is None:
        yield Missing("No model serves here: the demo was not finished.", 1)
    keys = load(settings.keys_file).keys if settings.keys_file.exists() else ()
    mine = [key for key in keys if key.name == KEY]
    if not mine:
        yield Missing(f"The API has no key named {KEY}.", 3)
    elif Scope.PREDICT not in mine[0].scopes:
        yield Missing(f"The key {KEY} is not good for predict.", 3)
