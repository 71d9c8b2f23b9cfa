"""Unit tests have no network: a socket that is not of this machine's own (Unix) kind fails the test."""

from __future__ import annotations

from pathlib import Path

import pytest

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A test that must open a TCP socket on loopback says so with the marker enable_socket."""
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.disable_socket)
