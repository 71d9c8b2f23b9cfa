"""Requests that Schemathesis makes up from our OpenAPI document: answers are as it says, and never a 5xx."""

from __future__ import annotations

import json
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.generation.modes import GenerationMode

from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.bento.conftest import Client
from bdp_assets_tests.unit.bento.test_app import answer_schema, valid
from bento import openapi

DOCUMENT: dict[str, Any] = json.loads(openapi.document())
OPERATIONS = {
    found.ok().label: found.ok() for found in schemathesis.openapi.from_dict(DOCUMENT).get_all_operations()
}


def test_every_operation_is_tried() -> None:
    assert len(OPERATIONS) == sum(len(methods) for methods in DOCUMENT["paths"].values())


@pytest.mark.parametrize("mode", list(GenerationMode))
@pytest.mark.parametrize("name", OPERATIONS)
def test_it_is_answered_as_the_document_says(name: str, mode: GenerationMode, client: Client) -> None:
    if mode.is_negative and not (OPERATIONS[name].body or OPERATIONS[name].query):
        pytest.skip("it takes nothing that could be wrong")

    @given(OPERATIONS[name].as_strategy(generation_mode=mode))
    @settings(max_examples=cases(60), suppress_health_check=list(HealthCheck), deadline=None)
    def answered(case: Any) -> None:
        arguments = case.as_transport_kwargs(base_url="http://api")
        made = requests.Request(**arguments).prepare()
        headers = [(_bytes(name), _bytes(value)) for name, value in made.headers.items()]
        answer = client.request(made.method or "", made.url or "", headers=headers, content=made.body)
        assert answer.status_code < 500
        method = str(made.method).lower()
        assert str(answer.status_code) in DOCUMENT["paths"][case.operation.path][method]["responses"]
        if answer.headers["content-type"] == "application/json":
            schema = answer_schema(DOCUMENT, case.operation.path, method, answer.status_code)
            valid(DOCUMENT, schema, answer.json())

    answered()


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1", "replace")
