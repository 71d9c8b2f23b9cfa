"""`bentoml serve` whose worker is killed, as the OOM killer does it: nobody waits at its port."""

from __future__ import annotations

import os
from pathlib import Path

import httpx
import psutil
import pytest

from bdp_assets_tests.integration.conftest import make_settings
from bdp_assets_tests.integration.running_api import get, serving

PATIENCE_S = 60.0
"""It ends a test that hangs. BentoML by itself would start another worker, and let that one answer."""


def test_calls_are_refused_at_once_and_the_service_ends(tmp_path: Path) -> None:
    api = serving(make_settings(tmp_path))
    with api as (url, log):
        [worker] = psutil.Process(api.process.pid).children()
        worker.kill()
        with pytest.raises((httpx.NetworkError, httpx.RemoteProtocolError)):  # Refused, or reset.
            get(f"{url}/livez", timeout=PATIENCE_S)
        api.process.wait(PATIENCE_S)
        assert "the worker died" in log.read_text()


def test_a_stop_is_a_stop(tmp_path: Path) -> None:
    api = serving(make_settings(tmp_path))
    with api as (_, log):
        api.process.terminate()
        assert api.process.wait(PATIENCE_S) == os.EX_OK
        assert "the worker died" not in log.read_text()
