"""Tasks on a Ray cluster through Ray Data; the only importer of ray.

Without an address it is a cluster of this machine's own, on loopback, that ends with the process. Tasks name
files: workers on other machines must see the same folder under the same path.
"""

from __future__ import annotations

import importlib.util
import logging
import os
import pickle
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

from bdp_assets.settings import Settings

T = TypeVar("T")
R = TypeVar("R")


class RayMissing(RuntimeError):  # noqa: N818 - reads as what it is
    """Ray is not installed."""


class RayTasks:
    """Runs independent tasks, each in a worker process; results come as they are ready."""

    def __call__(self, function: Callable[[T], R], tasks: Sequence[T]) -> Iterator[R]:
        if not tasks:
            return
        import ray.data

        packed = [{"call": pickle.dumps((function, task))} for task in tasks]
        # A block a task: Ray schedules blocks.
        rows = ray.data.from_items(packed, override_num_blocks=len(packed)).map(_call)
        for row in rows.iter_rows():
            result, trouble = pickle.loads(row["answer"])  # noqa: S301 - of our own worker
            if trouble is not None:
                raise trouble
            yield result


def _call(row: dict[str, Any]) -> dict[str, Any]:
    """A full disk is no fault of the worker: it comes back as it is, and nobody tries again."""
    function, task = pickle.loads(row["call"])  # noqa: S301 - of our own process
    try:
        return {"answer": pickle.dumps((function(task), None))}
    except OSError as error:
        return {"answer": pickle.dumps((None, error))}


@contextmanager
def ray_tasks(settings: Settings, workers: int | None = None) -> Iterator[RayTasks]:
    """`workers`: how many tasks at a time on this machine; None: as many as it has processors.

    Raises RayMissing.
    """
    if importlib.util.find_spec("ray") is None:
        raise RayMissing("Ray is not installed: pip install 'bdp-platform[scale]', or use --engine local.")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    where: dict[str, Any] = {"address": settings.ray_address}
    if settings.ray_address is None:
        where = {"address": "local", "num_cpus": workers}
        # Ray turns a loopback address into a public one, except where firewalls would mind: say that they do.
        # It is read when ray is imported.
        os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"
    import ray
    import ray.data

    ray.init(**where, include_dashboard=False, log_to_driver=False, logging_level=logging.ERROR)
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)
    try:
        yield RayTasks()
    finally:
        ray.shutdown()
