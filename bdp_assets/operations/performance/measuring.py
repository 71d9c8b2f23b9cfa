"""All that can be said of models as of a midnight: figures, contests in the shadow, decay."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time

import polars as pl

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.registry import VersionMissing
from bdp_assets.decisions.policy import Costs
from bdp_assets.monitoring.performance.decay import Decay
from bdp_assets.monitoring.performance.window import Window
from bdp_assets.operations.performance.decay import NotJudged, decay_of
from bdp_assets.operations.performance.figures import (
    CHAMPION,
    SCHEMA,
    Judged,
    contest,
    in_shadow,
    measured,
)
from bdp_assets.operations.performance.models import info_of
from bdp_assets.operations.performance.rows import as_tested, labels_known, served, shadowed
from bdp_assets.operations.policy_history import first_unseen
from bdp_assets.scoring.local_bundles import LocalBundles
from bdp_assets.settings import Settings
from bdp_assets.training.bootstrap import Difference
from bdp_assets.training.policy_release import costs_here


@dataclass
class Performance:
    """`figures`: as `figures.SCHEMA`. `contests`: challenger -> figure -> challenger's less the champion's.

    `not_judged`: whose decay, or what in the shadow, nothing can be said of yet, and why.
    """

    window: Window
    costs: Costs
    figures: pl.DataFrame
    contests: dict[str, dict[str, Difference]] = field(default_factory=dict)
    decays: list[Decay] = field(default_factory=list)
    not_judged: dict[str, str] = field(default_factory=dict)


def measure(settings: Settings, lake: Lake, as_of: date) -> Performance:
    """At the costs of the policy that serves here now. Raises RegistryUnavailable, BundleError."""
    window, costs = Window(as_of, settings.label_delay_days), costs_here(LocalBundles(settings.models_dir))
    labels = labels_known(lake, window)
    live = served(lake, window, labels)
    found = Performance(window, costs, pl.DataFrame(schema=SCHEMA))
    judged = [*_champions(live), *_challengers(settings, found, shadowed(lake, window, live))]
    found.figures = pl.concat([found.figures, *(measured(one, costs) for one in judged)])
    _judge_decay(settings, found, as_tested(lake, window, live, labels))
    return found


def _champions(live: pl.DataFrame) -> Iterator[Judged]:
    for (version,), rows in live.partition_by("model_version", as_dict=True, maintain_order=True).items():
        yield Judged(CHAMPION, version, rows)


def _challengers(settings: Settings, found: Performance, shadow: pl.DataFrame) -> Iterator[Judged]:
    """Each on the transactions that it did not learn from."""
    for (version,), rows in shadow.partition_by("challenger_version", as_dict=True).items():
        try:
            unseen = datetime.combine(first_unseen(info_of(settings, version)), time(), UTC)
        except VersionMissing as missing:
            found.not_judged[version] = str(missing)
            continue
        kept = rows.filter(pl.col("ts_ms") >= int(unseen.timestamp()) * 1000)
        if kept["is_fraud"].sum() in {0, len(kept)}:
            found.not_judged[version] = (
                f"challenger {version} scored {len(kept):,} mature transactions that it did not learn from, "
                f"{int(kept['is_fraud'].sum()):,} of them known fraud. Wait for labels"
            )
            continue
        found.contests[version] = contest(kept, found.costs)
        yield from in_shadow(version, kept)


def _judge_decay(settings: Settings, found: Performance, tested: pl.DataFrame) -> None:
    for (version,), rows in tested.partition_by("model_version", as_dict=True, maintain_order=True).items():
        try:
            info = info_of(settings, version)
            found.decays.append(decay_of(info, rows, found.window, settings.decay_bound))
        except (VersionMissing, NotJudged) as reason:
            found.not_judged[version] = str(reason)
