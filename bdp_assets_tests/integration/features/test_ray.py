"""On two Ray workers: the features of the build in memory, bit for bit, a busy merchant in time slices."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl
import pytest

from bdp_assets.clients import ray
from bdp_assets.clients.ray import RayMissing, RayTasks, ray_tasks
from bdp_assets.features.batch import build_features
from bdp_assets.features.bulk.arrival import KEPT, Input
from bdp_assets.features.bulk.build import History, How, build_file
from bdp_assets.features.bulk.piece import Piece
from bdp_assets.features.catalog import CATALOG
from bdp_assets.features.spec import Catalog
from bdp_assets.features.times import DAY, HOUR
from bdp_assets.settings import Settings
from bdp_assets_tests.unit.features.bulk.streams import busy_merchant, every_window, label_some

pytest.importorskip("ray")


class Watched:
    """The tasks that ran, for the test to look at."""

    def __init__(self, tasks: RayTasks) -> None:
        self._tasks = tasks
        self.pieces: list[Piece] = []

    def __call__(self, function: Callable, tasks: Sequence) -> Iterator:  # type: ignore[type-arg]
        self.pieces += [task for task in tasks if isinstance(task, Piece)]
        yield from self._tasks(function, tasks)


@pytest.fixture(scope="module")
def tasks() -> Iterator[RayTasks]:
    with ray_tasks(Settings(), workers=2) as found:
        yield found


@pytest.mark.parametrize("catalog", [CATALOG, every_window()], ids=["ours", "every window"])
def test_equals_the_build_in_memory(tasks: RayTasks, catalog: Catalog, tmp_path: Path) -> None:
    frame = busy_merchant(3_000, 3 * HOUR)
    labels = label_some(frame, 7 * DAY)
    kept = frame.lazy().with_columns(pl.col("transaction_id", "customer_id", "ts_ms").name.prefix(KEPT))
    history = History(Input("transactions", kept), Input("labels", labels.lazy()))
    run = Watched(tasks)
    output = tmp_path / "features.parquet"
    build_file(history, output, catalog, How(600, run))
    assert pl.read_parquet(output).equals(build_features(frame, labels, catalog))
    slices = [piece for piece in run.pieces if piece.owner.key == "merchant_id" and piece.since is not None]
    assert len(slices) > 2
    assert any(piece.earlier for piece in slices)


def test_trouble_with_the_disk_comes_back_as_it_is(tasks: RayTasks) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        list(tasks(Path.stat, [Path("nowhere")]))


def test_without_ray_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ray.importlib.util, "find_spec", lambda _: None)
    with pytest.raises(RayMissing, match=r"pip install 'bdp-platform\[scale\]'"), ray_tasks(Settings()):
        pass
