"""Every kind of state that has versions, in the order in which an upgrade goes about it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from bdp_assets.clients.kafka import ensure_topics, topic_names
from bdp_assets.contracts.topics import TOPICS
from bdp_assets.features.catalog import CATALOG
from bdp_assets.operations import migrations, topics
from bdp_assets.operations.upgrade import lake, online_store
from bdp_assets.operations.upgrade.state import State
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.settings import Settings

_VERSIONED = re.compile(r"^(?P<kind>.+)-v(?P<version>\d+)$")


def warehouse(settings: Settings) -> State:
    """By Alembic's revisions. Raises WarehouseUnavailable."""
    at = migrations.revisions(settings)
    found, needed = f"revision {at.current or 'none'}", f"revision {at.head}"
    if at.up_to_date:
        return State("warehouse", found, needed, "current")
    if not migrations.is_known(at.current):
        do = "Run the version of the platform that has this revision, or restore a backup."
        return State("warehouse", found, needed, "newer", do)
    return State("warehouse", found, needed, "due", "Migrate; rows stay.")


def contract_topics(settings: Settings) -> State:
    """Their schema's version is at the end of their names. Raises KafkaUnavailable, KafkaRefused."""
    present = topic_names(settings)
    report = ensure_topics(settings, topics.specs(), create=False)
    missing = sorted(TOPICS.keys() - present)
    needed = f"{len(TOPICS)} topics of schemas/topics.yaml"
    found = f"{len(TOPICS) - len(missing)} of them"
    if later := _later(present):
        return State(
            "topics", f"{found}; {', '.join(later)}", needed, "newer", "Run the version that made them."
        )
    other = [difference for difference in report.differences if not difference.endswith(" is missing")]
    if missing:
        return State("topics", found, needed, "due", f"Make {', '.join(missing)}.")
    if other:
        do = f"{'; '.join(other)}. Change it with Kafka's own tools."
        return State("topics", found, needed, "by hand", do)
    return State("topics", found, needed, "current")


def _later(present: set[str]) -> list[str]:
    """Topics of a kind that we know, with a version that we do not."""
    newest: dict[str, int] = {}
    for topic in TOPICS.values():
        kind = topic.name.rpartition("-v")[0]
        newest[kind] = max(newest.get(kind, 0), topic.schema_version)
    parsed = {name: match for name in present if (match := _VERSIONED.match(name))}
    return sorted(
        n for n, m in parsed.items() if int(m["version"]) > newest.get(m["kind"], int(m["version"]))
    )


def model(settings: Settings) -> State:
    """The bundle that serves on this machine, by the features that it was made for. Raises BundleError."""
    place = settings.models_dir / "champion"
    needed = f"catalog {CATALOG.version}"
    if not place.exists():
        return State("model", "nothing", needed, "absent")
    info = Bundle.read(place).info
    found = f"version {info.version}, catalog {info.catalog_version}"
    if info.catalog_version == CATALOG.version:
        return State("model", found, needed, "current")
    return State("model", found, needed, "by hand", "Train and promote one for these features: `bdp train`.")


STATES: Mapping[str, Callable[[Settings], State]] = {
    "warehouse": warehouse,
    "topics": contract_topics,
    lake.NAME: lake.examine,
    online_store.NAME: online_store.examine,
    "model": model,
}


def examine(settings: Settings) -> list[State]:
    """All of them. Raises what each raises: a system that does not answer can not be judged."""
    return [look(settings) for look in STATES.values()]
