"""What was measured as tables, for Dagster's pages; money in major units of the base currency."""

from __future__ import annotations

from typing import Any

import msgspec
import polars as pl

from bdp_assets.monitoring.performance.segments import ALL
from bdp_assets.operations.performance.figures import CHAMPION
from bdp_assets.operations.performance.measuring import Performance
from bdp_assets.operations.shadow.tables import contest_table

_MONEY = ("saved", "lost", "spent")


def figures_table(found: Performance) -> pl.DataFrame:
    """All figures but the reliability bins."""
    money = [(pl.col(f"{name}_minor") / 100).alias(name) for name in _MONEY]
    kept = pl.exclude("reliability", *(f"{name}_minor" for name in _MONEY))
    return found.figures.select(kept, *money)


def decay_table(found: Performance) -> pl.DataFrame:
    """A sentence for each version that is judged, and why the others are not."""
    said = {one.model_version: one.says for one in found.decays} | found.not_judged
    return pl.DataFrame(
        {"model": list(said), "says": list(said.values())}, schema=dict.fromkeys(("model", "says"), pl.String)
    )


def contests_table(found: Performance) -> pl.DataFrame:
    """version (of the challenger) and `contest_table`; no rows where nobody was in the shadow."""
    each = [
        contest_table(figures).select(pl.lit(version).alias("version"), pl.all())
        for version, figures in found.contests.items()
    ]
    return pl.concat(each) if each else pl.DataFrame(schema={"version": pl.String})


def curves(found: Performance) -> dict[str, list[dict[str, Any]]]:
    """Model and role -> its reliability bins."""
    of_all = found.figures.filter(segment=ALL).select("role", "model_version", "reliability")
    return {f"{role} {version}": msgspec.json.decode(bins) for role, version, bins in of_all.iter_rows()}


def champion_segments(found: Performance) -> pl.DataFrame:
    """Figures of whoever decided most."""
    champions = found.figures.filter(role=CHAMPION)
    most = champions.filter(segment=ALL).sort("transactions")["model_version"].tail(1)
    return champions.join(most.to_frame(), on="model_version", how="semi", maintain_order="left")
