"""What `bentoml serve` loads, looked at in a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

HEAVY = ("dagster", "mlflow", "pandas", "sklearn", "pandera", "polars", "pyarrow", "matplotlib")
CODE = f"""
import json, sys, uvicorn
from bento.fast_path import routes_of
from bento.service import FraudService
app = FraudService.to_asgi()
served = uvicorn.Config(app)
served.load()
print(json.dumps({{
    "heavy": [name for name in {HEAVY} if name in sys.modules],
    "middleware": [type(app).__name__, *(middleware.cls.__name__ for middleware in app.app.user_middleware)],
    "fast": [[part.decode() for part in route] for route in routes_of(served)],
    "protocol": served.http_protocol_class.__name__,
    "paths": [getattr(route, "path", None) for route in app.app.routes],
}}))
"""


@pytest.fixture(scope="module")
def loaded() -> dict[str, Any]:
    process = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    loaded: dict[str, Any] = json.loads(process.stdout.splitlines()[-1])
    return loaded


def test_nothing_heavy_is_imported(loaded: dict[str, Any]) -> None:
    assert loaded["heavy"] == []


def test_around_our_routes_there_is_only_what_we_left_on(loaded: dict[str, Any]) -> None:
    """A BentoML that brings its timer back, or its metrics or access log, fails here."""
    assert loaded["middleware"] == ["Direct", "OpenTelemetryMiddleware", "ContextMiddleware"]


def test_connections_are_bounded(loaded: dict[str, Any]) -> None:
    """uvicorn.Config as BentoML makes it takes our protocol."""
    assert loaded["protocol"] == "BoundedHttp"


def test_single_predictions_are_served_below_asgi(loaded: dict[str, Any]) -> None:
    """BentoML hands our app to uvicorn as it is, and with no limits of uvicorn's."""
    assert loaded["fast"] == [["POST", "/api/v1/predict"]]


def test_before_our_routes_bentoml_has_only_its_probes(loaded: dict[str, Any]) -> None:
    ours = loaded["paths"].index("")
    assert set(loaded["paths"][:ours]) == {"/livez", "/healthz", "/readyz", "/schema.json"}
