"""Open only on loopback beside our own services, unless somebody says so."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bdp_assets.settings import Settings
from bento.access.mode import is_open


def settings(**chosen: Any) -> Settings:
    return Settings(_env_file=None, home=Path("/nowhere"), **chosen)


@pytest.mark.parametrize(
    ("listening", "opened"),
    [
        ({"127.0.0.1"}, True),
        ({"::1"}, True),
        ({"127.0.0.1", "::1"}, True),
        ({"0.0.0.0"}, False),  # noqa: S104
        ({"::"}, False),
        ({"127.0.0.1", "10.0.0.7"}, False),
        (set(), False),
    ],
)
def test_by_default_where_it_listens_decides(
    listening: set[str], opened: bool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    assert is_open(settings(), listening) == opened
    assert ("the API is open" if opened else "the API is closed") in caplog.text


@pytest.mark.parametrize("name", ["kafka_bootstrap", "postgres_url", "redis_url", "mlflow_uri", "lake_url"])
def test_beside_a_system_of_ones_own_it_is_closed(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    assert not is_open(settings(**{name: "x://user:hunter2@somewhere:1"}), {"127.0.0.1"})
    assert f"BDP_{name.upper()} is set" in caplog.text
    assert "hunter2" not in caplog.text


def test_what_is_chosen_holds(caplog: pytest.LogCaptureFixture) -> None:
    assert is_open(settings(api_auth="open", redis_url="redis://x:1"), {"0.0.0.0"})  # noqa: S104
    assert "BDP_API_AUTH is open" in caplog.text
    assert not is_open(settings(api_auth="required"), {"127.0.0.1"})


@pytest.mark.enable_socket
def test_a_process_knows_the_socket_that_it_was_handed() -> None:
    """As `bentoml serve` hands its workers one."""
    code = "import json; from bento.access.mode import listening; print(json.dumps(sorted(listening())))"
    for host in ("127.0.0.1", "0.0.0.0"):  # noqa: S104
        with socket.socket() as handed:
            handed.bind((host, 0))
            handed.listen()
            number = handed.fileno()
            child = subprocess.run(
                [sys.executable, "-c", code], pass_fds=[number], capture_output=True, check=True
            )
        assert json.loads(child.stdout) == [host]
