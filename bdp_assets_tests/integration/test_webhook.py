from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from pydantic import SecretStr

from bdp_assets.clients import webhook
from bdp_assets.clients.webhook import TRIES, WebhookRefused, post


class Receiver(ThreadingHTTPServer):
    """Answers with `statuses` one after the other, then with 200; keeps what it got."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.statuses: list[int] = []
        self.got: list[Any] = []

    @property
    def url(self) -> SecretStr:
        return SecretStr(f"http://127.0.0.1:{self.server_port}/T0/secret-token")


class _Handler(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        self.server.got.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
        self.send_response(self.server.statuses.pop(0) if self.server.statuses else 200)
        self.end_headers()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def receiver(monkeypatch: pytest.MonkeyPatch) -> Iterator[Receiver]:
    monkeypatch.setattr(webhook, "FIRST_WAIT_S", 0)
    with Receiver() as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_message_arrives_as_json(receiver: Receiver) -> None:
    post(receiver.url, {"text": "a run failed"})
    assert receiver.got == [{"text": "a run failed"}]


def test_it_is_sent_again_while_the_server_has_trouble(receiver: Receiver) -> None:
    receiver.statuses = [503] * (TRIES - 1)
    post(receiver.url, {})
    assert len(receiver.got) == TRIES


@pytest.mark.parametrize(("statuses", "tries"), [([404], 1), ([500] * TRIES, TRIES)])
def test_a_refusal_is_an_error_that_does_not_tell_the_url(
    receiver: Receiver, statuses: list[int], tries: int
) -> None:
    receiver.statuses = list(statuses)
    with pytest.raises(WebhookRefused, match=f"status {statuses[0]}") as refused:
        post(receiver.url, {})
    assert len(receiver.got) == tries
    assert "secret-token" not in str(refused.value)


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/secret-token", "no url", "http://[secret-token"])
def test_nobody_there_is_an_error_too(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook, "FIRST_WAIT_S", 0)
    with pytest.raises(WebhookRefused) as refused:
        post(SecretStr(url), {})
    assert "secret-token" not in str(refused.value)
