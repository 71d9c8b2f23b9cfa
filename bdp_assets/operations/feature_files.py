"""`bdp features build` and `join`: what was asked for, as inputs of the builder, here or on Ray."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

from bdp_assets.clients.lake import Lake
from bdp_assets.clients.ray import ray_tasks
from bdp_assets.features.bulk.build import Built, History, How, Progress, build_file, join_file
from bdp_assets.features.bulk.pieces import Runner, one_by_one
from bdp_assets.features.catalog import CATALOG, HANDBOOK
from bdp_assets.features.spec import Catalog
from bdp_assets.ingest.feature_inputs import of_file, of_lake
from bdp_assets.ingest.mapping import load_mapping
from bdp_assets.ingest.source import HistorySource
from bdp_assets.ingest.spine import Spine, spine_of
from bdp_assets.settings import Settings

LAKE = "lake"
CATALOGS = {"default": CATALOG, "handbook": HANDBOOK}
_KEYS = {"default": ("transaction_id", "customer_id", "ts_ms"), "handbook": ("transaction_id",)}
"""Columns that the output begins with; the Handbook publishes one."""

Engine = Literal["local", "ray"]


class Sources(NamedTuple):
    """`input`: a file, or LAKE; `catalog`: a name in CATALOGS."""

    input: str
    labels: Path | None = None
    mapping: Path | None = None
    catalog: str = "default"

    def history(self, settings: Settings) -> History:
        if self.input == LAKE:
            return of_lake(Lake.of(settings), _KEYS[self.catalog])
        given = load_mapping(self.mapping) if self.mapping else None
        return of_file(HistorySource(Path(self.input), given), self.labels, _KEYS[self.catalog])

    def spine(self, file: Path) -> Spine:
        given = load_mapping(self.mapping) if self.mapping else None
        return spine_of(file, CATALOGS[self.catalog], given)


class Work(NamedTuple):
    """`rows_per_bucket`: None is the setting's."""

    engine: Engine
    rows_per_bucket: int | None
    progress: Progress


def unlabelled(history: History, catalog: Catalog) -> bool:
    """Whether features read labels and there are none: then nothing is known to be fraud."""
    return catalog.reads_labels and history.labels is None


def build(settings: Settings, sources: Sources, history: History, output: Path, work: Work) -> Built:
    """Raises BulkFailed and RayMissing."""
    with _how(settings, work) as how:
        return build_file(history, output, CATALOGS[sources.catalog], how)


def join(settings: Settings, history: History, spine: Spine, output: Path, work: Work) -> Built:
    """Raises BulkFailed and RayMissing."""
    with _how(settings, work) as how:
        return join_file(history, spine.rows, output, spine.catalog, how)


@contextmanager
def _how(settings: Settings, work: Work) -> Iterator[How]:
    rows = work.rows_per_bucket or settings.feature_bucket_rows
    with _runner(settings, work.engine) as run:
        yield How(rows, run, work.progress)


@contextmanager
def _runner(settings: Settings, engine: Engine) -> Iterator[Runner]:
    if engine == "local":
        yield one_by_one
        return
    with ray_tasks(settings) as tasks:
        yield tasks
