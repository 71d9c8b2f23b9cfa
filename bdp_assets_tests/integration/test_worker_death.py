"""`bentoml serve` whose worker is killed, as the OOM killer does it: nobody waits at its port."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import psutil
import pytest

from bdp_assets_tests.integration.conftest import make_settings
from bdp_assets_tests.integration.running_api import get, serving

SOON_S = 5.0
"""BentoML itself looks for dead workers every ten seconds."""


def test_calls_are_refused_at_once_and_the_service_ends(tmp_path: Path) -> None:
    api = serving(make_settings(tmp_path))
    with api as (url, log):
        [worker] = psutil.Process(api.process.pid).children()
        worker.kill()
        with pytest.raises(
            (httpx.NetworkError, httpx.RemoteProtocolError)
        ):  # Reset, or refused: no time-out.
            get(f"{url}/livez", timeout=SOON_S)
        api.process.wait(SOON_S)
        assert "the worker died" in log.read_text()


def test_a_stop_is_a_stop(tmp_path: Path) -> None:
    api = serving(make_settings(tmp_path))
    with api as (_, log):
        api.process.terminate()
        assert api.process.wait(20) == os.EX_OK
        assert "the worker died" not in log.read_text()
