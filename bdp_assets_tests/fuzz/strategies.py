"""Calls: the hostile corpus, good bodies with anything done to them, and what Schemathesis makes up."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import product
from typing import Any

import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.generation.modes import GenerationMode

from bdp_assets_tests.fakes.hostile import BROKEN, CANARY, DOUBLED, NOT_JSON, PAN, PATHS, SCRAPS, UNTYPED
from bdp_assets_tests.fuzz.calls import JSON, Call
from bento import openapi

PREDICT, LABEL = b"/api/v1/predict", b"/api/v1/labels"
BATCH = b"/batch"
_NOW = datetime.fromtimestamp(time.time() - 60, UTC).isoformat(timespec="seconds")
_QUERIES = (
    b"",
    b"?dry_run=true",
    b"?dry_run=maybe",
    b"?%ff",
    b"?dry_run=" + PAN.encode(),
    b"?" + CANARY.encode(),
)
_EXTRA = (
    *((name.encode(), value) for name, value in UNTYPED if name != "Content-Length"),
    (b"X-Request-Id", CANARY.encode() + b" "),
    (b"Cookie", PAN.encode()),
    (b"Traceparent", b"00-" + PAN.encode()),
)
_FIELDS = (
    "transaction_id",
    "customer_id",
    "merchant_id",
    "amount",
    "timestamp",
    "currency",
    "country",
    "latitude",
)
_FIELDS += ("device_id", "ip", "channel", "is_fraud", "known_at_ms", "ts_ms", f"{CANARY} field", PAN)
_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from([PAN, int(PAN), CANARY, "", "1e999", 10**400, [CANARY], {PAN: PAN}, {CANARY: {}}, _NOW]),
)


def corpus() -> Iterator[Call]:
    """Every hostile body at every route that takes one; every hostile path and header."""
    for body, path in product([*NOT_JSON.values(), *BROKEN.values(), *DOUBLED.values()], (PREDICT, LABEL)):
        yield Call("POST", path, JSON, body)
        yield Call("POST", path + BATCH, JSON, b"[" + body + b"]")
    for path, method in product(PATHS, ("GET", "POST")):
        yield Call(method, path.encode(), JSON, b"")
    for name, value in _EXTRA:
        yield Call("POST", PREDICT, (*JSON, (name, value)), json.dumps(_transaction(0)).encode())


def _transaction(number: int) -> dict[str, Any]:
    fields = {
        "transaction_id": f"t{number}",
        "customer_id": f"c{number % 997}",
        "amount": number % 5_000 + 0.5,
    }
    return fields | {"timestamp": _NOW, "merchant_id": f"m{number % 97}", "currency": "EUR"}


def _label(number: int) -> dict[str, Any]:
    return {"transaction_id": f"t{number}", "customer_id": f"c{number % 997}", "is_fraud": number % 2 == 0}


@st.composite
def _object(draw: st.DrawFn, good: Any) -> bytes:
    """A good body, as it is or with fields that are replaced, added or taken away."""
    fields = good(draw(st.integers(0, 10**6)))
    for name in draw(st.lists(st.sampled_from(_FIELDS), max_size=2)):
        if draw(st.booleans()):
            fields[name] = draw(_VALUES)
        else:
            fields.pop(name, None)
    return json.dumps(fields).encode()


@st.composite
def mutated(draw: st.DrawFn) -> Call:
    """A call of any route, nearly right."""
    path, good = draw(st.sampled_from([(PREDICT, _transaction), (LABEL, _label)]))
    if draw(st.booleans()):
        body = draw(_object(good))
    else:
        path += BATCH
        body = b"[" + b",".join(draw(st.lists(_object(good), max_size=4))) + b"]"
    if draw(st.integers(0, 3)) == 0:
        at, length = draw(st.integers(0, len(body))), draw(st.integers(0, 20))
        body = body[:at] + draw(st.sampled_from(SCRAPS) | st.binary(max_size=8)) + body[at + length :]
    headers = (*JSON, draw(st.sampled_from(_EXTRA))) if draw(st.integers(0, 7)) == 0 else JSON
    query = draw(st.sampled_from(_QUERIES)) if draw(st.booleans()) else b""
    return Call("POST", path + query, headers, body)


def generated() -> st.SearchStrategy[Call]:
    """What Schemathesis makes up of our OpenAPI document, good and bad."""
    schema = schemathesis.openapi.from_dict(json.loads(openapi.document()))
    operations = [found.ok() for found in schema.get_all_operations()]
    cases = [
        operation.as_strategy(generation_mode=mode)
        for operation, mode in product(operations, GenerationMode)
        if mode.is_positive or operation.body or operation.query
    ]
    return st.one_of(cases).map(_call)


def _call(case: Any) -> Call:
    made = requests.Request(**case.as_transport_kwargs(base_url="http://localhost")).prepare()
    target = (made.url or "").removeprefix("http://localhost").encode("latin-1", "replace")
    body = made.body.encode() if isinstance(made.body, str) else made.body or b""
    headers = ((_bytes(name), _bytes(value)) for name, value in made.headers.items())
    return Call(
        made.method or "", target, tuple(one for one in headers if one[0].lower() != b"content-length"), body
    )


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("latin-1", "replace")
