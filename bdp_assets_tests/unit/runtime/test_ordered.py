"""Work in the order of a graph."""

from __future__ import annotations

from threading import Barrier, Event, Lock

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bdp_assets.runtime import ordered


@st.composite
def acyclic_graphs(draw: st.DrawFn) -> dict[str, list[str]]:
    names = [f"n{number}" for number in range(draw(st.integers(0, 7)))]
    earlier = {name: names[:index] for index, name in enumerate(names)}
    return {name: [n for n in earlier[name] if draw(st.booleans())] for name in names}


@given(acyclic_graphs())
def test_every_node_is_worked_once_after_its_predecessors(graph: dict[str, list[str]]) -> None:
    done: list[str] = []
    lock = Lock()

    def work(node: str, _cancelled: Event) -> None:
        with lock:
            assert set(graph[node]) <= set(done)
            done.append(node)

    ordered.run(graph, work)
    assert sorted(done) == sorted(graph)


def test_independent_nodes_run_side_by_side() -> None:
    together = Barrier(2, timeout=5)
    ordered.run({"a": [], "b": []}, lambda _node, _cancelled: (together.wait(), None)[1])


def test_a_failure_stops_what_follows_and_is_raised() -> None:
    worked: list[str] = []

    def work(node: str, cancelled: Event) -> None:
        worked.append(node)
        if node == "fails":
            raise ValueError("broken")
        if node == "waits":
            assert cancelled.wait(5)

    with pytest.raises(ValueError, match="broken"):
        ordered.run({"fails": [], "waits": [], "after": ["fails"], "later": ["waits"]}, work)
    assert sorted(worked) == ["fails", "waits"]


def test_needs_outside_the_graph_do_not_hold_anything_up() -> None:
    worked: list[str] = []
    ordered.run({"a": ["elsewhere"]}, lambda node, _cancelled: worked.append(node))
    assert worked == ["a"]
