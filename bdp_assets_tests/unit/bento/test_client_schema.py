"""What BentoML's client is told of our routes; that it can call them, `integration/api` shows."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest

from bdp_assets_tests.unit.bento.conftest import Client, body, transaction
from bento import openapi
from bento.client_schema import client_routes

DOCUMENT: dict[str, Any] = json.loads(openapi.document())
ROUTES = {route["route"]: route for route in client_routes(DOCUMENT)}


def test_every_route_that_takes_a_body_is_a_method() -> None:
    taking = {path for path, methods in DOCUMENT["paths"].items() if "post" in methods}
    assert set(ROUTES) == taking
    assert {path: route["name"] for path, route in ROUTES.items()} == {
        path: DOCUMENT["paths"][path]["post"]["operationId"] for path in taking
    }


@pytest.mark.parametrize("path", ROUTES)
def test_no_reference_is_left_that_a_client_would_not_follow(path: str) -> None:
    assert "$ref" not in json.dumps(ROUTES[path])


def test_its_schemas_are_of_what_is_taken_and_answered(client: Client) -> None:
    one = ROUTES["/api/v1/predict"]
    jsonschema.validate(transaction(1), one["input"])
    jsonschema.validate(client.post(body(1)).json(), one["output"])
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({}, one["input"])
