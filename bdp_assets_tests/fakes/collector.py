"""A collector that takes OTLP as JSON over HTTP, and keeps the spans."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Taken:
    """`spans` as OTLP's JSON has them, each with its `service`; `status` is what it answers."""

    endpoint: str
    status: int = 200
    spans: list[dict[str, Any]] = field(default_factory=list)

    def take(self, request: dict[str, Any]) -> None:
        for resource in request["resourceSpans"]:
            whose = {one["key"]: one["value"] for one in resource["resource"]["attributes"]}
            for scope in resource["scopeSpans"]:
                self.spans += [
                    {**span, "service": whose["service.name"]["stringValue"]} for span in scope["spans"]
                ]


@contextmanager
def collector() -> Iterator[Taken]:
    """Runs within, on a free port of loopback; when it is left, its port is closed."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            wanted = (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/json")
            status = taken.status if wanted else 400
            if status == 200:
                taken.take(json.loads(body))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    taken = Taken(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield taken
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
