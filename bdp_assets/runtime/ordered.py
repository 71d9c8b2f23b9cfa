"""Do work in the order of a graph, independent nodes side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter
from threading import Event


def run(graph: Mapping[str, Iterable[str]], work: Callable[[str, Event], None]) -> None:
    """Call `work(node, cancelled)` once all its predecessors are done; those outside the graph are ignored.

    After the first exception no further node begins, `cancelled` is set for those under way, and the
    exception is raised when they have ended.
    """
    order = TopologicalSorter({node: [n for n in before if n in graph] for node, before in graph.items()})
    order.prepare()
    cancelled = Event()
    busy: dict[Future[None], str] = {}
    with ThreadPoolExecutor(max_workers=max(1, len(graph))) as pool:
        try:
            while order.is_active():
                for node in order.get_ready():
                    busy[pool.submit(work, node, cancelled)] = node
                for future in wait(busy, return_when=FIRST_COMPLETED).done:
                    future.result()
                    order.done(busy.pop(future))
        finally:
            cancelled.set()
