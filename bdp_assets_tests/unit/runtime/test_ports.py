"""A taken port is a message with its holder and the variable that moves it."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator

import pytest

from bdp_assets.runtime import ports
from bdp_assets.runtime.problems import Problem
from bdp_assets.settings import Settings

pytestmark = pytest.mark.enable_socket


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_listening_port_is_not_free_until_it_is_closed(taken: int) -> None:
    assert not ports.is_free(taken)


def test_a_port_on_all_addresses_is_not_free() -> None:
    with socket.create_server(("0.0.0.0", 0)) as server:  # noqa: S104 - that is the case under test
        assert not ports.is_free(server.getsockname()[1])


def test_a_port_that_was_just_used_is_free() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)), server.accept()[0]:
            pass  # the server closes first: its side stays in TIME_WAIT
    assert ports.is_free(port)


def test_the_holder_is_named(taken: int) -> None:
    assert f"pid {os.getpid()}" in ports.holder(taken)


def test_all_taken_ports_are_told_at_once_with_their_variables(taken: int) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        settings = Settings(api_port=taken, redis_port=other.getsockname()[1])
        with pytest.raises(Problem) as refused:
            ports.require([("api_port", taken), ("redis_port", settings.redis_port)])
    assert f"Port {taken} is taken by" in refused.value.what
    assert f"Port {settings.redis_port} is taken by" in refused.value.what
    assert "BDP_API_PORT, BDP_REDIS_PORT" in refused.value.do
