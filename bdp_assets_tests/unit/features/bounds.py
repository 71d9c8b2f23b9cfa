"""The bound on exact events, small enough for tests."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest import mock

from bdp_assets.features import folding, online, packed, rebuild_customers, served, table

_WHERE = {
    "EXACT_EVENTS": (folding, online, packed, rebuild_customers, served, table),
    "SPARE_EVENTS": (folding, rebuild_customers),
    "KEEP": (folding, rebuild_customers),
    "BLOCK": (folding,),
}


@contextmanager
def bounded(exact_events: int, spare: int = 40, keep: int = 20, block: int = 2) -> Iterator[None]:
    """Customers have so many exact events, and so many spare records; they are cut by so many."""
    values = {"EXACT_EVENTS": exact_events, "SPARE_EVENTS": spare, "KEEP": keep, "BLOCK": block}
    with ExitStack() as stack:
        for name, modules in _WHERE.items():
            for module in modules:
                stack.enter_context(mock.patch.object(module, name, values[name]))
        yield
