"""The API in a process of its own, as its users start it, with a store of its own that tests may stop."""

from __future__ import annotations

import json
import os
import shlex
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import httpx
import msgspec
import polars as pl

from bdp_assets.clients import kafka, redis
from bdp_assets.contracts.columns import LABELS, VALIDATED
from bdp_assets.contracts.topics import RAW, Topic
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.features.online import OnlineStore
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.messages import PAN_KEY

PROJECT = Path(__file__).parents[2]
GIVEN = ("_port", "bootstrap", "redis_url", "api_auth", "spool_mb", "timeout_ms", "traces_endpoint")
"""How the names of the settings end that a child is told."""
PLAIN = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""For calls by plain HTTP: httpx would load the machine's certificates for each, 30 ms of processor time."""


def get(url: str, **arguments: Any) -> httpx.Response:
    return httpx.get(url, verify=PLAIN, **arguments)


def post(url: str, **arguments: Any) -> httpx.Response:
    return httpx.post(url, verify=PLAIN, **arguments)


@dataclass
class RunningApi:
    """The service in its own process, with a store of its own that tests may stop."""

    settings: Settings
    url: str
    log: Path
    store: subprocess.Popen[bytes]

    def curl(self, command: str) -> httpx.Response:
        """Do what a curl command line says, against this service."""
        words = iter(shlex.split(command)[1:])
        method, url, headers, body = "GET", "", {}, None
        for word in words:
            if word == "-X":
                method = next(words)
            elif word == "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            elif word == "-d":
                body = next(words)
            else:
                url = word.replace("http://localhost:5001", self.url)
        return httpx.request(method, url, headers=headers, content=body, verify=PLAIN)

    def predict(self, name: str, **changes: Any) -> httpx.Response:
        return post(f"{self.url}/api/v1/predict", json=transaction(name, **changes))

    def label(self, name: str, customer: str, *, is_fraud: bool = True) -> httpx.Response:
        fields = {"transaction_id": name, "customer_id": customer, "is_fraud": is_fraud}
        return post(f"{self.url}/api/v1/labels", json=fields)

    def decision(self, name: str, customer: str) -> httpx.Response:
        return get(f"{self.url}/api/v1/decisions/{name}", params={"customer_id": customer})

    def dependencies(self) -> dict[str, str]:
        states: dict[str, str] = get(f"{self.url}/health").json()["dependencies"]
        return states


def transaction(name: str, **changes: Any) -> dict[str, Any]:
    """A good one, of a customer of the same name."""
    fields = {
        "transaction_id": name,
        "customer_id": name,
        "amount": 10,
        "timestamp": "2026-01-15T10:30:00Z",
    }
    return fields | changes


class running:  # noqa: N801 - reads as a verb
    """A child process that ends with the block: politely first."""

    def __init__(self, command: list[str], settings: Settings, log: Path) -> None:
        ports = {
            f"BDP_{name.upper()}": str(value)
            for name, value in settings.model_dump(exclude_none=True).items()
            if name.endswith(GIVEN)
        }
        clean = {name: value for name, value in os.environ.items() if not name.startswith("BDP_")}
        bento = {"BENTOML_HOME": str(settings.home / "bentoml"), "BENTOML_DO_NOT_TRACK": "True"}
        key = {"BDP_PAN_HASH_KEY": PAN_KEY.decode()}
        environment = {**clean, **ports, **bento, **key, "BDP_HOME": str(settings.home)}
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=environment, cwd=settings.home, stdout=output, stderr=subprocess.STDOUT
            )

    def __enter__(self) -> subprocess.Popen[bytes]:
        return self.process

    def __exit__(self, *_: object) -> None:
        self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


class serving(running):  # noqa: N801
    """The API as its users start it; the block begins when it lives."""

    def __init__(self, settings: Settings, host: str = "127.0.0.1") -> None:
        self.url, self.log = f"http://127.0.0.1:{settings.api_port}", settings.home / "api.log"
        address = ("--port", str(settings.api_port), "--host", host, "--working-dir", str(PROJECT))
        command = [sys.executable, "-m", "bentoml", "serve", "bento.service:FraudService", *address]
        super().__init__(command, settings, self.log)

    def __enter__(self) -> Any:
        try:
            wait_until(lambda: lives(self.url) or self.process.poll() is not None)
        except AssertionError:
            self.__exit__()
            raise
        assert self.process.poll() is None, self.log.read_text()
        return self.url, self.log


def fill(settings: Settings) -> None:
    """Rebuild the store from a history of one transaction."""
    fields = {"transaction_id": "h", "customer_id": "h", "amount": 1, "timestamp": "2026-01-01T00:00:00Z"}
    history = decode_transaction(json.dumps(fields).encode(), received_ms=1_800_000_000_000)
    row = {**msgspec.structs.asdict(history), "event_date": date(2026, 1, 1)}
    store = OnlineStore(redis.connect(settings))
    store.rebuild(pl.DataFrame([row], schema=VALIDATED), pl.DataFrame(schema=LABELS))


def raw_call(settings: Settings, said: bytes) -> bytes:
    """What the service answers to bytes that no client would send, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", settings.api_port)) as connection:
        connection.sendall(said)
        connection.shutdown(socket.SHUT_WR)
        answer = b""
        try:
            while piece := connection.recv(65_536):
                answer += piece
        except ConnectionResetError:
            pass
        return answer


def lives(url: str) -> bool:
    try:
        return get(f"{url}/livez").status_code == 200
    except httpx.TransportError:
        return False


def wait_until(condition: Callable[[], bool], patience_s: float = 60) -> None:
    deadline = time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.1)


def raw_messages(
    settings: Settings,
    before: dict[tuple[str, int], tuple[int, int]],
    customer: str,
    expected: int,
    *,
    or_more: bool = False,
) -> list[kafka.Message]:
    return messages_of(settings, RAW, before, customer, expected, or_more=or_more)


def messages_of(
    settings: Settings,
    topic: Topic,
    before: dict[tuple[str, int], tuple[int, int]],
    customer: str,
    expected: int,
    *,
    or_more: bool = False,
) -> list[kafka.Message]:
    """A customer's messages on a topic since `before`; waits for them, and a second for more."""
    found: list[kafka.Message] = []

    def read() -> bool:
        found.clear()
        for (name, partition), (_, end) in kafka.watermarks(settings, [topic.name]).items():
            start = before[name, partition][1]
            messages = kafka.read_range(settings, name, partition, start, end)
            found.extend(message for message in messages if message.key == customer.encode())
        return len(found) >= expected

    wait_until(read)
    time.sleep(1)
    read()
    assert len(found) == expected or (or_more and len(found) > expected)
    return found
