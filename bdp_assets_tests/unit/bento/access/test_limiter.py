"""Where limits are kept: in the store, in the process while that is away, nowhere where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import REGISTRY

from bdp_assets.clients.redis import StoreUnavailable
from bdp_assets_tests.unit.bento.access.test_access import bearer, issue
from bdp_assets_tests.unit.bento.conftest import Client, body
from bento.access import limiter
from bento.access.access import Access
from bento.access.keyring import Keyring
from bento.access.limiter import Limiter, LocalLimiter
from bento.access.scopes import Scope
from bento.dependencies import Dependencies
from bento.serving import Serving

BATCH = "/api/v1/predict/batch"


class FakeServer:
    """Answers as the script does, as the test says; counts round trips."""

    def __init__(self) -> None:
        self.up = True
        self.calls: list[Any] = []

    def run(self, _client: object, commands: Sequence[Any], _scripts: Sequence[Any]) -> list[list[int]]:
        self.calls += commands
        if not self.up:
            raise StoreUnavailable("switched off by the test")
        return [[1, 500_000]]


class Clock:
    """Stands still unless the test moves it."""

    def __init__(self) -> None:
        self.now_us = 0

    def __call__(self) -> int:
        return self.now_us


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> FakeServer:
    server = FakeServer()
    monkeypatch.setattr(limiter, "run", server.run)
    return server


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(limiter, "microseconds", clock)
    return clock


@pytest.fixture
def limits(server: FakeServer, clock: Clock, dependencies: Dependencies) -> Limiter:
    client: Any = None
    return Limiter(client, dependencies)


def alone() -> float:
    return REGISTRY.get_sample_value("bdp_api_limited_alone_total") or 0.0


def test_the_store_judges_while_it_is_there(limits: Limiter, server: FakeServer) -> None:
    before = alone()
    taken = limits.take("key:1", 5, 2)
    assert (taken.allowed, taken.stock) == (True, 500_000)
    assert [call[3:] for call in server.calls] == [("bdp:limits:key:1", 5, 2)]
    assert alone() == before


def test_without_it_the_process_keeps_the_same_rate_and_says_so(
    limits: Limiter, server: FakeServer, clock: Clock, dependencies: Dependencies
) -> None:
    server.up = False
    before = alone()
    assert [limits.take("key:1", 2, 1).allowed for _ in range(3)] == [True, True, False]
    clock.now_us += 500_000
    assert [limits.take("key:1", 2, 1).allowed for _ in range(2)] == [True, False]
    assert limits.take("key:2", 2, 1).allowed, "each caller has its own"
    assert len(server.calls) == 1, "one call pays for the time-out, then nobody asks"
    assert dependencies.store == "down"
    assert alone() - before == 6
    server.up = True
    dependencies.probe()
    assert limits.take("key:1", 2, 1).allowed


def test_callers_are_forgotten_before_they_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limiter, "MOST_CALLERS", 3)
    local = LocalLimiter(lambda: 0)
    for identity in ("a", "b", "c", "a", "d"):
        local.take(identity, 1, 1)
    assert not local.take("a", 1, 1).allowed, "used lately"
    assert local.take("b", 1, 1).allowed, "forgotten"


def keyed(serving: Serving, limits: Limiter | LocalLimiter, path: Path, default: int) -> Keyring:
    keyring = Keyring(path)
    keyring.look()
    serving.access = Access(keyring, limits, default)
    return keyring


def test_a_keys_own_rate_holds_before_the_default(client: Client, serving: Serving, tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    own = issue(path, "own", Scope.PREDICT, rate_per_s=2)
    none = issue(path, "none", Scope.PREDICT, rate_per_s=0)
    default = issue(path, "default", Scope.PREDICT)
    keyed(serving, LocalLimiter(lambda: 0), path, default=1)
    for shown, let_in in ((own, 2), (default, 1), (none, 4)):
        statuses = [client.post(body(number), **bearer(shown)).status_code for number in range(1, 5)]
        assert statuses == [200] * let_in + [429] * (4 - let_in)


def test_a_refused_call_says_when_to_come_back_and_is_not_read(
    client: Client, serving: Serving, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    shown = issue(path, "shop", Scope.PREDICT, rate_per_s=1)
    keyed(serving, LocalLimiter(lambda: 0), path, default=0)
    first = client.post(body(1), **bearer(shown))
    assert (first.headers["ratelimit-limit"], first.headers["ratelimit-remaining"]) == ("1", "0")
    assert "retry-after" not in first.headers
    refused = client.post(b"{", **bearer(shown))
    assert refused.status_code == 429
    assert refused.json()["error"]["code"] == "rate_limited"
    assert (refused.headers["retry-after"], refused.headers["ratelimit-reset"]) == ("1", "1")


def test_a_batch_costs_its_items_and_what_can_not_be_read_costs_one(
    client: Client, serving: Serving, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    shown = issue(path, "shop", Scope.PREDICT, rate_per_s=10)
    keyed(serving, LocalLimiter(lambda: 0), path, default=0)
    items = b",".join(body(number) for number in range(6))
    assert client.post(b"[" + items + b"]", BATCH, **bearer(shown)).headers["ratelimit-remaining"] == "4"
    assert client.post(b"{", BATCH, **bearer(shown)).headers["ratelimit-remaining"] == "3"
    assert client.post(b"[" + items + b"]", BATCH, **bearer(shown)).status_code == 429
    assert client.get("/api/v1/model", **bearer(shown)).headers["ratelimit-remaining"] == "2"


def test_without_a_limit_nobody_is_asked(
    client: Client, serving: Serving, limits: Limiter, server: FakeServer, tmp_path: Path
) -> None:
    path = tmp_path / "keys.json"
    shown = issue(path, "shop", Scope.PREDICT)
    keyed(serving, limits, path, default=0)
    answer = client.post(body(1), **bearer(shown))
    serving.access = Access(None, limits, 0)
    assert [answer.status_code, client.post(body(2)).status_code] == [200, 200]
    assert server.calls == []
    assert "ratelimit-limit" not in answer.headers


def test_an_open_api_may_limit_addresses(client: Client, serving: Serving, clock: Clock) -> None:
    local = LocalLimiter(clock)
    serving.access = Access(None, local, 1)
    assert [client.post(body(number)).status_code for number in (1, 2)] == [200, 429]
    assert all("127.0.0.1" not in identity for identity in local._buckets), "no address in the store"
    assert client.get("/health").status_code == 200
