"""Calls of the prediction API in the background, as a few clients would make them."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException
from types import TracebackType

from bdp_assets.operations.traffic_journal import NO_ANSWER, Answer, Outgoing
from bdp_assets.settings import LOOPBACK, Settings

PREDICT = "/api/v1/predict"
CLIENTS = 4
TIMEOUT_S = 5.0

Answered = Callable[[Outgoing, int, Answer], None]
Call = tuple[Outgoing, str]


class ApiCaller:
    """Clients with connections that stay open; leaving the context waits for every answer.

    `answered(record, sent_ms, answer)` is called from the clients' threads.
    """

    def __init__(self, settings: Settings, answered: Answered) -> None:
        self._port, self._answered = settings.api_port, answered
        self._headers = {"Content-Type": "application/json", **settings.api_headers}
        self._calls: queue.SimpleQueue[Call | None] = queue.SimpleQueue()
        self._clients: list[threading.Thread] = []

    def __enter__(self) -> ApiCaller:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for _ in self._clients:
            self._calls.put(None)
        for client in self._clients:
            client.join()

    def send(self, record: Outgoing, traceparent: str) -> None:
        """Queue a call; does not wait."""
        if not self._clients:
            self._clients = [threading.Thread(target=self._run, daemon=True) for _ in range(CLIENTS)]
            for client in self._clients:
                client.start()
        self._calls.put((record, traceparent))

    def _run(self) -> None:
        connection = HTTPConnection(LOOPBACK, self._port, timeout=TIMEOUT_S)
        while (call := self._calls.get()) is not None:
            record, traceparent = call
            headers = {**self._headers, "traceparent": traceparent}
            sent_ms = time.time_ns() // 1_000_000
            self._answered(record, sent_ms, _post(connection, record.value, headers))
        connection.close()


def _post(connection: HTTPConnection, body: bytes, headers: Mapping[str, str]) -> Answer:
    try:
        connection.request("POST", PREDICT, body, headers)
        answer = connection.getresponse()
        content = answer.read()
    except (OSError, HTTPException):
        connection.close()
        return NO_ANSWER
    if answer.status != HTTPStatus.OK:
        return Answer(answer.status)
    told = json.loads(content)
    return Answer(answer.status, told.get("decision"), bool(told.get("degraded")))
