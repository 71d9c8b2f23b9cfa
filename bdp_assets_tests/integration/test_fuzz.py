"""`make fuzz` against servers that are at fault and not; `test_api.py` runs it against the service."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from bdp_assets_tests.fuzz import run, strategies

Decide = Callable[[bytes], tuple[int, bytes]]


@contextmanager
def serving(decide: Decide) -> Iterator[int]:
    """The port of a server that answers a body as it is told."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        wbufsize = -1  # Head and body leave together: no waiting for an acknowledgement between them.

        def do_POST(self) -> None:
            status, content = decide(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def one_round(decide: Decide, monkeypatch: pytest.MonkeyPatch) -> run.Outcome:
    monkeypatch.setattr(strategies, "corpus", lambda: iter(()))
    monkeypatch.setattr(strategies, "generated", strategies.mutated)
    with serving(decide) as port:
        return run.call(port, 60, 1)


def test_a_server_that_never_fails_has_no_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = one_round(lambda _: (200, b"{}"), monkeypatch)
    assert outcome.line() == f"{outcome.calls} calls: {outcome.calls} 2xx, 0 3xx, 0 4xx, 0 5xx; 0 faults"
    assert outcome.calls >= 60


def test_a_5xx_is_found_and_made_small(monkeypatch: pytest.MonkeyPatch) -> None:
    outcome = one_round(lambda body: (500 if b'"amount"' in body else 422, b"{}"), monkeypatch)
    [(said, call)] = outcome.faults
    assert said == "it answered 500"
    assert call.body.count(b'"amount"') == 1
    assert outcome.statuses["5xx"] > 0
