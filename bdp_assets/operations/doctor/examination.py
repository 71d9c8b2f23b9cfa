"""The order in which the doctor looks, and what is not worth a look."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeAlias

from bdp_assets.operations.doctor import connections, contents, machine
from bdp_assets.operations.doctor.finding import Finding
from bdp_assets.settings import Settings

Look: TypeAlias = Callable[[Settings], Iterator[Finding]]

_ALWAYS: tuple[Look, ...] = (
    machine.python,
    machine.packages,
    machine.broker_needs,
    machine.replicas_need,
    machine.monitoring_needs,
    machine.disk,
    machine.pan_hash_key,
    machine.programs,
    connections.warehouse,
    connections.online_store,
    connections.broker,
    contents.bundle,
    connections.registry,
)
_BEHIND: dict[str, tuple[Look, ...]] = {
    "kafka": (contents.contract_topics,),
    "postgres": (contents.schema,),
    "mlflow": (contents.champion, contents.copies),
}


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, as it is made; what lies behind a system that does not answer is left out."""
    for look in _ALWAYS:
        for finding in look(settings):
            yield finding
            if finding.status == "ok":
                for behind in _BEHIND.get(finding.name, ()):
                    yield from behind(settings)
