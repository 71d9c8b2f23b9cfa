"""Keys at the door: every route under /api/ needs one, one refusal for all that are not good."""

from __future__ import annotations

import hmac
import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from starlette.routing import Route

from bdp_assets_tests.unit.bento.conftest import Client, body
from bdp_assets_tests.unit.bento.fakes import FakeRawTopic, FakeStore
from bento.access import issuing, keys
from bento.access.access import Access
from bento.access.file import change
from bento.access.keyring import Keyring
from bento.access.limiter import LocalLimiter
from bento.access.scopes import NEEDS, Scope
from bento.app import Api


def issue(path: Path, name: str, *scopes: Scope, **wish: Any) -> str:
    """A key made long ago."""

    def edit(keys: keys.Keys) -> tuple[keys.Keys, str]:
        made = issuing.create(keys, issuing.Wish(name=name, scopes=scopes, **wish), 1_700_000_000_000)
        return made.keys, made.shown

    return change(path, edit)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def shown(path: Path) -> dict[str, str]:
    """A key of each scope."""
    return {scope: issue(path, scope, scope) for scope in Scope}


@pytest.fixture
def keyring(path: Path, shown: dict[str, str]) -> Keyring:
    keyring = Keyring(path)
    keyring.look()
    return keyring


@pytest.fixture
def access(keyring: Keyring) -> Access:
    return Access(keyring, LocalLimiter(lambda: 0), 0)


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.mark.parametrize("name", ["Authorization", "authorization", "X-API-Key"])
def test_a_good_key_is_answered(client: Client, shown: dict[str, str], name: str) -> None:
    value = shown["predict"] if name == "X-API-Key" else f"bearer {shown['predict']}"
    assert client.post(body(1), **{name: value}).status_code == 200
    assert client.get("/api/v1/model", **{name: value}).status_code == 200


def test_every_key_that_is_not_good_gets_the_same_refusal(
    client: Client, path: Path, shown: dict[str, str], keyring: Keyring
) -> None:
    good = shown["predict"]
    expired = issue(path, "expired", Scope.PREDICT, expires_days=1)
    revoked = issue(path, "revoked", Scope.PREDICT)
    change(path, lambda keys: (issuing.revoke(keys, "revoked"), None))
    keyring.look()
    unknown = keys.new_key_text(keys.new_id())
    attempts: list[dict[str, str | bytes]] = [
        {},
        *({"X-API-Key": key} for key in (expired, revoked, unknown, good[:-1], good + "0", good.upper(), "")),
        *({"Authorization": text} for text in (good, "Bearer", "Bearer ", f"Basic {good}", f"Bearer{good}")),
        {"Authorization": f"Bearer {good[:-64]}{'0' * 64}"},
        {**bearer(good), "X-API-Key": b"\xe9"},
    ]
    refusals = set()
    for headers in attempts:
        answer = client.post(body(1), **{"X-Request-Id": "one"}, **headers)
        assert answer.status_code == 401, headers
        assert answer.headers["www-authenticate"].startswith("Bearer ")
        refusals.add(answer.content)
    assert len(refusals) == 1


def test_a_key_for_other_things_is_told_the_scope(client: Client, shown: dict[str, str]) -> None:
    answer = client.post(body(1), **bearer(shown["label"]))
    assert answer.status_code == 403
    assert "scope predict" in answer.json()["error"]["message"]
    assert 'scope="predict"' in answer.headers["www-authenticate"]
    assert client.get("/api/v1/model", **bearer(shown["admin"])).status_code == 200


def test_nothing_is_read_or_done_without_a_key(
    client: Client, store: FakeStore, raw_topic: FakeRawTopic
) -> None:
    for content in (b"{", b"x" * 10_000_000, body(1)):
        assert client.post(content, **{"Content-Type": "text/plain"}).status_code == 401
    assert (store.claims, raw_topic.sent) == ({}, [])


def test_what_is_under_api_needs_a_key_and_nothing_else_does(client: Client) -> None:
    routes = [route for route in Api().routes if isinstance(route, Route)]
    assert {route.path for route in routes if route.path.startswith("/api/")} == set(NEEDS)
    for route in routes:
        for method in route.methods or set():
            answer = client.request(method, re.sub(r"\{\w+\}", "x", route.path))
            assert (answer.status_code == 401) == (route.path in NEEDS), route.path


def test_the_document_says_of_each_route_what_the_table_says(client: Client) -> None:
    document = client.get("/openapi.json").json()
    schemes = document["components"]["securitySchemes"]
    assert set(schemes) == {"bearer", "header"}
    for path, methods in document["paths"].items():
        for operation in methods.values():
            said = {(name, *scopes) for one in operation["security"] for name, scopes in one.items()}
            assert said == {(name, scope) for name in schemes for scope in NEEDS.get(path, ())}
            assert (("401" in operation["responses"]) and ("403" in operation["responses"])) == (
                path in NEEDS
            )


def test_secrets_are_compared_in_constant_time(
    client: Client, shown: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared = []

    def compare(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return hmac.compare_digest(one, other)

    monkeypatch.setattr(keys, "hmac", SimpleNamespace(compare_digest=compare))
    good = shown["predict"]
    assert client.get("/api/v1/model", **bearer(good)).status_code == 200
    assert client.get("/api/v1/model", **bearer(good[:-64] + "0" * 64)).status_code == 401
    assert compared == [(64, 64), (64, 64)], "digests, whatever was presented"


def test_open_means_without_a_key_and_any_is_as_good(client: Client, serving: Any) -> None:
    serving.access = Access(None, LocalLimiter(lambda: 0), 0)
    assert client.post(body(1)).status_code == 200
    assert client.post(body(1), **bearer("nonsense")).status_code == 200
