"""`bdp up`: the runtime's programs, and between their starts what the code wants of them."""

from __future__ import annotations

from collections.abc import Sequence

from bdp_assets.runtime import home, monitoring, platform, profile
from bdp_assets.runtime.parts import Step
from bdp_assets.runtime.problems import Problem
from bdp_assets.runtime.starter import Report
from bdp_assets.settings import Settings


def migrate(settings: Settings) -> None:
    """Bring the warehouse to the newest revision. Raises Problem."""
    from bdp_assets.clients.postgres import WarehouseUnavailable
    from bdp_assets.operations import migrations

    try:
        migrations.upgrade(settings)
    except WarehouseUnavailable as error:
        raise Problem(f"The migrations did not run: {error}", "`bdp doctor` tells what is wrong.") from error


def create_topics(settings: Settings) -> None:
    """Create the contract's topics that are missing. Raises Problem."""
    from bdp_assets.clients.kafka import KafkaRefused, KafkaUnavailable, ensure_topics
    from bdp_assets.operations import topics

    try:
        ensure_topics(settings, topics.specs())
    except (KafkaUnavailable, KafkaRefused) as error:
        raise Problem(f"The topics were not made: {error}", "`bdp doctor` tells what is wrong.") from error


STEPS = (
    Step("migrations", migrate, needs=("postgres",)),
    Step("topics", create_topics, needs=("kafka",)),
)


def up(
    settings: Settings,
    names: Sequence[str] = (),
    *,
    watched: bool | None = None,
    report: Report = platform.quietly,
) -> None:
    """Start all or the named programs; see `runtime.platform.up`. Raises Problem.

    `watched` turns monitoring on or off before that, see `with_monitoring`; None: as BDP_HOME remembers it.
    """
    if watched is not None:
        settings = with_monitoring(settings, wanted=watched, report=report)
    if watched and names:
        names = [*names, *monitoring.NAMES]
    platform.up(settings, names, steps=STEPS, report=report)
    if settings.monitoring:
        monitoring.write_targets(settings)  # a first model brings the API and the scoring worker


def restart(settings: Settings, name: str, *, report: Report = platform.quietly) -> None:
    """Stop and start one program; see `runtime.platform.restart`. Raises Problem."""
    platform.restart(settings, name, steps=STEPS, report=report)
    if settings.monitoring:
        monitoring.write_targets(settings)  # there may be more replicas now, or fewer


def with_monitoring(settings: Settings, *, wanted: bool, report: Report = platform.quietly) -> Settings:
    """The settings with monitoring on or off, which BDP_HOME remembers for every later command.

    Stops what the change concerns: workers that serve no metrics yet, or who watches. Raises Problem.
    """
    if wanted:
        monitoring.required()
    changed = settings.model_copy(update={"monitoring": wanted})
    if not wanted:
        platform.down(settings, monitoring.NAMES, report=report)
    elif changed.worker_metrics_port != settings.worker_metrics_port:
        platform.down(settings, monitoring.WORKERS, report=report)
    home.prepare(settings.home)
    profile.remember(settings.home, {"BDP_MONITORING": str(wanted).lower()})
    return changed
