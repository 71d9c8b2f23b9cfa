"""Brings what is older to what this code needs, in order. Killed at any point, it goes on when run again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from bdp_assets.clients.kafka import ensure_topics
from bdp_assets.clients.lake import Lake
from bdp_assets.operations import migrations, topics
from bdp_assets.operations.rebuild_store import rebuild_store
from bdp_assets.operations.upgrade import lake, online_store
from bdp_assets.operations.upgrade.examination import examine
from bdp_assets.operations.upgrade.state import State
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings


def upgrade(settings: Settings, reached: Callable[[State], None] = lambda state: None) -> list[State]:
    """Do what is due, and look again. `reached` is told of each step before it is taken.

    Raises Problem where a newer version wrote anything, before anything is touched; what the clients raise.
    """
    states = examine(settings)
    refuse_newer(states)
    for state in states:
        if state.verdict == "due":
            reached(state)
            STEPS[state.name](settings)
    return examine(settings)


def refuse_newer(states: Sequence[State]) -> None:
    """Raises Problem that names each part that a newer version wrote."""
    newer = [state for state in states if state.verdict == "newer"]
    if newer:
        told = "; ".join(f"{state.name}: {state.found}, here {state.needed}" for state in newer)
        raise Problem(
            f"A newer version of the platform wrote this, and nothing was changed. {told}.", newer[0].do
        )


def _migrate(settings: Settings) -> None:
    migrations.upgrade(settings)


def _make_topics(settings: Settings) -> None:
    ensure_topics(settings, topics.specs())


def _rebuild(settings: Settings) -> None:
    rebuild_store(settings, Lake.of(settings))


STEPS: Mapping[str, Callable[[Settings], None]] = {
    "warehouse": _migrate,
    "topics": _make_topics,
    lake.NAME: lake.add_columns,
    online_store.NAME: _rebuild,
}
