"""A taken port is a message with its holder and the variable that moves it."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
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


def test_what_somebody_else_has_chosen_is_not_chosen_again(monkeypatch: pytest.MonkeyPatch) -> None:
    class Always:
        def sample(self, _: range, __: int) -> list[int]:
            return [port, other]

    port, other = ports.choose_free(["one", "two"]).values()
    code = f"from bdp_assets.runtime.ports import _is_mine; print(_is_mine({port}), _is_mine({other}))"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["False", "False"]
    monkeypatch.setattr(random, "SystemRandom", Always)
    assert ports.choose_free(["again"]) == {}


def test_marks_of_chosen_ports_do_not_add_up() -> None:
    found = [ports.choose_free(["next"])["next"] for _ in range(150)]
    held = [mark.getsockname()[1] for mark in ports._marks]
    assert held == found[-100:]
    assert len(set(held)) == len(held)


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
