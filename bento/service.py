"""The BentoML service: `bentoml serve bento.service:FraudService --port 5001 --host 127.0.0.1`.

Our routes are an ASGI app at the service's root, so that what a caller sees at /, /docs, /metrics and /health
is ours; BentoML keeps /livez, /readyz, /healthz and /schema.json. Its own API routes log what a caller sent
when that is not valid, its metrics have whatever path a caller thinks of as a label, and its index page loads
a tracker: all three are off. Its server takes heads of any size at any pace: `connections.py` bounds them.
"""

from __future__ import annotations

import gc
import json
import logging
import sys
from typing import Any

import bentoml
from _bentoml_sdk import Service  # type: ignore[import-untyped]
from uvicorn.config import HTTP_PROTOCOLS

from bdp_assets.observability.logging import configure
from bdp_assets.settings import get_settings
from bento import openapi, packed
from bento.app import Api
from bento.client_schema import client_routes
from bento.connections import BoundedHttp
from bento.routing import Direct
from bento.serving import Serving
from bento.worker_death import end_with_worker

SWITCH_S = 0.0005
"""How long the thread that drains the spool may keep calls from the interpreter; the default is 5 ms."""


class MountedService(Service[Any]):  # type: ignore[misc]
    """BentoML's service, past which our routes go, which its clients are told of; without TimeoutMiddleware.

    That is a timer a request that is never stopped. With its default of 60 s all requests of the last minute
    stay in memory, and full garbage collections stall the service for up to 270 ms; with one second, a slow
    upload of a batch is cut off, by a body that is not ours. Time is bounded where it is spent instead:
    reading the body, and the online store's time-out.
    """

    def to_asgi(self, is_main: bool = True) -> Any:
        app: Any = super().to_asgi(is_main)
        app.user_middleware = [m for m in app.user_middleware if m.cls.__name__ != "TimeoutMiddleware"]
        return Direct(app, api)

    def schema(self) -> dict[str, Any]:
        schema: dict[str, Any] = super().schema()
        return schema | {"routes": client_routes(json.loads(openapi.document()))}


HTTP_PROTOCOLS["auto"] = f"{BoundedHttp.__module__}:{BoundedHttp.__qualname__}"  # What `bentoml serve` takes.
api = Api()


@bentoml.service(
    name="fraud_service",
    service_class=MountedService,
    workers=1,
    metrics={"enabled": False},
    logging={"access": {"enabled": False}},
    tracing={"excluded_urls": ".*"},
    envs=packed.environment(),
)
@bentoml.asgi_app(api, path="/")
class FraudService:
    """Decides card transactions with the champion model of this machine, or the one of this Bento."""

    def __init__(self) -> None:
        _log_as_json()
        self.serving = Serving.start(packed.checked(get_settings()))
        api.attach(self.serving)
        _settle_garbage_collector()
        sys.setswitchinterval(SWITCH_S)

    def __is_ready__(self) -> bool:
        """What /readyz says."""
        return self.serving.health().ready

    @bentoml.on_deployment  # type: ignore[untyped-decorator]
    def start_workers() -> None:
        """BentoML calls it in the workers' parent, before there are any."""
        end_with_worker()

    @bentoml.on_shutdown  # type: ignore[untyped-decorator]
    def stop(self) -> None:
        self.serving.close()


def _log_as_json() -> None:
    """One format for all; others' handlers print an exception's text, an access log what a caller typed."""
    configure("api")
    for name in ("bentoml", "uvicorn.error"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    logging.getLogger("uvicorn.access").disabled = True


def _settle_garbage_collector() -> None:
    """What is loaded now stays: out of every collection. Requests leave few cycles: collect seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
