"""The API on fakes, with a real (tiny) model: everything but the network."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from bdp_assets.clients.redis import connect
from bdp_assets.contracts import topics
from bdp_assets.contracts.adjustments import decode_posted_adjustment
from bdp_assets.contracts.labels import decode_posted
from bdp_assets.decisions.champion import Champion
from bdp_assets.decisions.decider import Decider
from bdp_assets.decisions.live_lists import LiveLists
from bdp_assets.decisions.tombstones import LiveTombstones
from bdp_assets.settings import Settings
from bdp_assets_tests.fakes.tiny_bundle import tiny_bundle
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore
from bdp_assets_tests.unit.bento.ways import Ways
from bento.access.access import Access
from bento.access.limiter import LocalLimiter
from bento.app import Api
from bento.decisions import Decisions
from bento.dependencies import Dependencies
from bento.notices import Notices
from bento.predictor import Predictor
from bento.serving import Serving
from bento.spool.spool import Spool


@pytest.fixture(scope="session")
def decider(tmp_path_factory: pytest.TempPathFactory) -> Decider:
    return Decider.load(tiny_bundle(tmp_path_factory.mktemp("bundle")))


@pytest.fixture
def store() -> FakeStore:
    return FakeStore()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    spool = Spool(tmp_path / "spool", 2**30)
    yield spool
    spool.close()


@pytest.fixture
def raw_topic(spool: Spool) -> FakeRawTopic:
    return FakeRawTopic(spool)


@pytest.fixture
def dependencies(store: Any, raw_topic: Any, spool: Spool) -> Dependencies:
    dependencies = Dependencies(store, raw_topic, spool)
    dependencies.probe()
    return dependencies


@pytest.fixture
def access() -> Access:
    """Open; tests of keys put their own in its place."""
    return Access(None, LocalLimiter(lambda: 0), 0)


@pytest.fixture
def predictor(decider: Decider, store: Any, spool: Spool, dependencies: Dependencies) -> Predictor:
    return Predictor(decider, store, spool, dependencies)


@pytest.fixture
def serving(  # noqa: PLR0917 - all that it is made of
    predictor: Predictor,
    store: Any,
    spool: Spool,
    access: Access,
    dependencies: Dependencies,
    raw_topic: Any,
    tmp_path: Path,
) -> Serving:
    decisions, champion = Decisions(store, dependencies), Champion(tmp_path / "champion", 10)
    nowhere = connect(Settings(_env_file=None))  # type: ignore[call-arg]
    lists, nobody = LiveLists(nowhere, Path("none")), LiveTombstones(nowhere, Path("none"), b"")
    labels = Notices(spool, topics.LABELS, decode_posted)
    adjustments = Notices(spool, topics.ADJUSTMENTS, decode_posted_adjustment)
    return Serving(
        predictor, labels, adjustments, decisions, access, dependencies, raw_topic, lists, nobody, champion
    )


@pytest.fixture
def ways(serving: Serving, store: FakeStore) -> Ways:
    return Ways(serving, store)


class Client:
    """Calls the app in this process. An exception that the app lets out fails the test."""

    def __init__(self, api: Api) -> None:
        self._transport = httpx.ASGITransport(api)

    def request(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        async def send() -> httpx.Response:
            async with httpx.AsyncClient(transport=self._transport, base_url="http://api") as client:
                return await client.request(method, path, **arguments)

        return asyncio.run(send())

    def get(self, path: str, **headers: str | bytes) -> httpx.Response:
        return self.request("GET", path, headers=headers)

    def post(self, content: Any, path: str = "/api/v1/predict", **headers: str | bytes) -> httpx.Response:
        headers = {"Content-Type": "application/json", **headers}
        return self.request("POST", path, content=content, headers=headers)


@pytest.fixture
def client(serving: Serving) -> Client:
    api = Api()
    api.attach(serving)
    return Client(api)


_NOW = datetime.now(UTC).isoformat(timespec="seconds")
"""Of all transactions of a run: one that is sent twice is the same, whatever the clock does meanwhile."""


def transaction(number: int = 1, **changes: Any) -> dict[str, Any]:
    """A good transaction as a caller writes it; a change to None leaves the field out."""
    fields = {
        "transaction_id": f"transaction-{number}",
        "customer_id": f"customer-{number}",
        "amount": 100.0 * number,
        "timestamp": _NOW,
        "merchant_id": "merchant-1",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def body(*arguments: Any, **changes: Any) -> bytes:
    return json.dumps(transaction(*arguments, **changes)).encode()
