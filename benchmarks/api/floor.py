"""The floor: a bare ASGI app that does one script of the store, runs the model's graphs, and answers.

The script moves as many bytes as a claim of ours in the same store (see `claims`). No validation, no
features, no decision.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import onnxruntime as ort
from redis import Redis

from bdp_assets.clients.redis import connect
from bdp_assets.clients.redis_exchange import exchange
from bdp_assets.scoring.bundle import Bundle
from bdp_assets.scoring.local_bundles import CHAMPION
from bdp_assets.settings import get_settings
from benchmarks.online.floor import Sizes

SIZES = "floor-sizes.json"
_HEADERS = [(b"content-type", b"application/json")]


def save(sizes: Sizes, folder: Path) -> None:
    """Of its script, for the floor's process."""
    (folder / SIZES).write_bytes(msgspec.json.encode(asdict(sizes)))


class Floor:
    def __init__(self) -> None:
        settings = get_settings()
        client = connect(settings)
        assert isinstance(client, Redis)  # noqa: S101 - the bench's server is one node
        self._client = client
        sizes = msgspec.json.decode((settings.home / SIZES).read_bytes(), type=Sizes)
        self._command = sizes.on(client).command
        bundle = Bundle.read(settings.models_dir / CHAMPION)
        options = ort.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        graphs = [bundle.file(member.file) for member in bundle.manifest.members]
        self._sessions = [ort.InferenceSession(graph, options) for graph in graphs]
        self._row = np.zeros((1, len(bundle.info.feature_names)))

    def answer(self, body: bytes) -> bytes:
        identity = msgspec.json.decode(body)["transaction_id"]
        exchange(self._client, [self._command])
        found = [session.run(None, {"features": self._row})[0] for session in self._sessions]
        probability = float(np.asarray(found[0])[0, 0])
        return msgspec.json.encode({"transaction_id": identity, "fraud_probability": probability})


_floor: list[Floor] = []


async def app(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    if scope["type"] == "lifespan":
        await receive()
        _floor.append(Floor())
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await send({"type": "lifespan.shutdown.complete"})
        return
    body = b""
    if scope["method"] == "POST":
        while True:
            part = await receive()
            body += part.get("body", b"")
            if not part.get("more_body"):
                break
    content = _floor[0].answer(body) if body else b"{}"
    length = (b"content-length", str(len(content)).encode())
    await send({"type": "http.response.start", "status": 200, "headers": [*_HEADERS, length]})
    await send({"type": "http.response.body", "body": content})
