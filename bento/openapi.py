"""The OpenAPI 3.1 document: transactions from `schemas/`, answers from `bento/models.py`, routes from here.

Tests hold the routes of `app.py` and this document to each other.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from bdp_assets.contracts.records import Prediction
from bdp_assets.contracts.topics import ADJUSTMENTS, LABELS, RAW, Topic
from bento.access.access import HEADER
from bento.access.scopes import NEEDS
from bento.models import Accepted, AcceptedAdjustment, Answer, Error, Health, ModelCard
from bento.requests import BATCH_LIMIT_BYTES, BATCH_LIMIT_ITEMS, SINGLE_LIMIT_BYTES

REFERENCE = "#/components/schemas/{name}"
_TRANSACTION = {"$ref": REFERENCE.format(name="Transaction")}
_LABEL = {"$ref": REFERENCE.format(name="Label")}
_ADJUSTMENT = {"$ref": REFERENCE.format(name="Adjustment")}
_REFUND = {
    "adjustment_id": "refund-1",
    "type": "refund",
    "customer_id": "customer-456",
    "original_transaction_id": "test-123",
}
_FRAUD = {"transaction_id": "test-123", "customer_id": "customer-456", "is_fraud": True}
_EXAMPLE = {
    "transaction_id": "test-123",
    "customer_id": "customer-456",
    "amount": 1500.00,
    "timestamp": "2024-01-15T10:30:00Z",
    "merchant_id": "merchant-789",
}
_REFUSALS = {
    400: "The request, or its body, could not be read",
    408: "The body came too slowly",
    409: "This customer has another transaction with that id",
    413: "The body is too large",
    415: "The body is not application/json",
    422: "The body breaks the contract, or the query is none of this route's; `field` names where",
    503: "Nothing can be decided now: no model, or the queue towards Kafka is full",
}
_UNREAD = {400: "The request could not be read", 431: "The request's line and headers are too large"}
"""Of any request, before it is known what it asks for."""
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "A key from `bdp keys create`."},
    "header": {"type": "apiKey", "in": "header", "name": HEADER, "description": "The same key."},
}
_KEY_REFUSALS = {
    401: "No key, or one that is not good",
    403: "The key has not the scope that this needs",
    429: "More transactions than the limit allows; Retry-After says when to send it again",
}
_LABEL_REFUSALS = {status: text for status, text in _REFUSALS.items() if status not in (409, 503)} | {
    503: "Nothing can be written down now: the queue towards Kafka, or the disk, is full"
}
_DRY_RUN = {
    "name": "dry_run",
    "in": "query",
    "description": "Answer as a real call would, each item as if it came alone, and leave no trace.",
    "schema": {"type": "boolean", "default": False},
}
_REQUEST_ID = {
    "name": "X-Request-Id",
    "in": "header",
    "description": "Comes back in the answer; made here where it is absent or not well-formed.",
    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
}
_PARAMETERS = [_DRY_RUN, _REQUEST_ID]
_WHICH = [
    {"name": "transaction_id", "in": "path", "required": True, "schema": {"type": "string"}},
    {
        "name": "customer_id",
        "in": "query",
        "required": True,
        "description": "Whose it is: a transaction_id is unique for one customer.",
        "schema": {"type": "string"},
    },
]


def document() -> bytes:
    """The whole document as JSON."""
    schemas: dict[str, Any] = {"Transaction": _contract(RAW), "Label": _undated(LABELS, "known_at_ms")}
    schemas["Adjustment"] = _undated(ADJUSTMENTS, "ts_ms")
    bodies = (Answer, Accepted, AcceptedAdjustment, Prediction, Error, Health, ModelCard)
    (answer, accepted, adjusted, record, error, health, card), components = msgspec.json.schema_components(
        bodies, ref_template=REFERENCE
    )
    spec = {
        "openapi": "3.1.0",
        "info": {
            "title": "Fraud prediction API",
            "version": "1",
            "description": "Decides card transactions: approve, review or decline, with reasons.",
        },
        "paths": _keyed(
            error,
            {
                "/api/v1/predict": {"post": _predict(answer, error)},
                "/api/v1/predict/batch": {"post": _predict_batch(answer, error)},
                "/api/v1/labels": {"post": _label(accepted, error)},
                "/api/v1/labels/batch": {"post": _label_batch(accepted, error)},
                "/api/v1/adjustments": {"post": _adjustment(adjusted, error)},
                "/api/v1/decisions/{transaction_id}": {"get": _decision(record, error)},
                "/api/v1/model": {
                    "get": _get("The champion", _json("The model", card), _json("No model", error))
                },
                "/health": {"get": _get("What works", _json("Ready", health), _json("Not ready", health))},
                "/metrics": {"get": _metrics()},
            },
        ),
        "components": {"schemas": schemas | components, "securitySchemes": _SCHEMES},
    }
    return msgspec.json.encode(spec)


def _keyed(error: Any, paths: dict[str, Any]) -> dict[str, Any]:
    """What needs a key says so: any of its scopes, in either header."""
    for path, methods in paths.items():
        scopes = NEEDS.get(path, ())
        for operation in methods.values():
            operation["security"] = [{scheme: [scope]} for scope in scopes for scheme in _SCHEMES]
            if scopes:
                operation["responses"] |= _refusals(_KEY_REFUSALS, error)
            operation["responses"] = _refusals(_UNREAD, error) | operation["responses"]
    return paths


def _contract(topic: Topic) -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(topic.schema_path.read_bytes())
    return {name: value for name, value in schema.items() if name not in ("$schema", "$id")}


def _undated(topic: Topic, time: str) -> dict[str, Any]:
    """The topic's, but a caller need not say the time, and says nothing else."""
    schema = _contract(topic)
    required = [name for name in schema["required"] if name != time]
    return schema | {"required": required, "additionalProperties": False}


def _predict(answer: Any, error: Any) -> dict[str, Any]:
    return {
        "operationId": "predict",
        "tags": ["Predictions"],
        "summary": "Decide one transaction",
        "description": "The same transaction again gets the same decision. "
        f"At most {SINGLE_LIMIT_BYTES} bytes.",
        "parameters": _PARAMETERS,
        "requestBody": _body(_TRANSACTION, _EXAMPLE),
        "responses": {"200": _json("The decision", answer), **_refusals(_REFUSALS, error)},
    }


def _predict_batch(answer: Any, error: Any) -> dict[str, Any]:
    items = {"type": "array", "maxItems": BATCH_LIMIT_ITEMS, "items": _TRANSACTION}
    results = {"type": "array", "items": {"anyOf": [answer, error]}}
    refusals = {status: text for status, text in _REFUSALS.items() if status != 409}
    return {
        "operationId": "predict_batch",
        "tags": ["Predictions"],
        "summary": "Decide up to 1,000 transactions",
        "description": "A bare array; each item gets its decision or its error, in order. "
        f"At most {BATCH_LIMIT_BYTES} bytes.",
        "parameters": _PARAMETERS,
        "requestBody": _body(items, [_EXAMPLE]),
        "responses": {"200": _json("One result an item", results), **_refusals(refusals, error)},
    }


def _label(accepted: Any, error: Any) -> dict[str, Any]:
    return {
        "operationId": "label",
        "tags": ["Labels"],
        "summary": "Say what became known of a transaction",
        "description": "Without `known_at_ms`, it is known from now on. A later label takes an earlier one "
        "back. "
        f"At most {SINGLE_LIMIT_BYTES} bytes.",
        "parameters": _PARAMETERS,
        "requestBody": _body(_LABEL, _FRAUD),
        "responses": {"202": _json("It is on its way", accepted), **_refusals(_LABEL_REFUSALS, error)},
    }


def _label_batch(accepted: Any, error: Any) -> dict[str, Any]:
    items = {"type": "array", "maxItems": BATCH_LIMIT_ITEMS, "items": _LABEL}
    results = {"type": "array", "items": {"anyOf": [accepted, error]}}
    return {
        "operationId": "label_batch",
        "tags": ["Labels"],
        "summary": "Say what became known of up to 1,000 transactions",
        "description": "A bare array; each item is taken or gets its error, in order. "
        f"At most {BATCH_LIMIT_BYTES} bytes.",
        "parameters": _PARAMETERS,
        "requestBody": _body(items, [_FRAUD]),
        "responses": {"202": _json("One result an item", results), **_refusals(_LABEL_REFUSALS, error)},
    }


def _adjustment(adjusted: Any, error: Any) -> dict[str, Any]:
    return {
        "operationId": "adjustment",
        "tags": ["Adjustments"],
        "summary": "Take a transaction back: a refund or a reversal",
        "description": "It is kept with its original, never scored, and changes no feature. Without `ts_ms`, "
        f"it happens now; without `amount_minor`, it is about all of it. At most {SINGLE_LIMIT_BYTES} bytes.",
        "parameters": _PARAMETERS,
        "requestBody": _body(_ADJUSTMENT, _REFUND),
        "responses": {"202": _json("It is on its way", adjusted), **_refusals(_LABEL_REFUSALS, error)},
    }


def _decision(record: Any, error: Any) -> dict[str, Any]:
    refusals = {
        404: "No decision of it is kept online",
        422: "The query does not name a customer, or says more",
        503: "The store is down",
    }
    return {
        "operationId": "decision",
        "tags": ["Predictions"],
        "summary": "What was decided, and all that it was decided on",
        "description": "The record as it was kept, with the features: model, policy and rules that it names "
        "make the same decision of it again, bit for bit (`bdp decisions replay`).",
        "parameters": [*_WHICH, _REQUEST_ID],
        "responses": {"200": _json("The record", record), **_refusals(refusals, error)},
    }


def _get(summary: str, success: Any, unavailable: Any) -> dict[str, Any]:
    return {"summary": summary, "tags": ["Service"], "responses": {"200": success, "503": unavailable}}


def _metrics() -> dict[str, Any]:
    text = {"description": "Metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}
    return {"summary": "Prometheus metrics", "tags": ["Service"], "responses": {"200": text}}


def _body(schema: Any, example: Any) -> dict[str, Any]:
    return {"required": True, "content": {"application/json": {"schema": schema, "example": example}}}


def _json(description: str, schema: Any) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


def _refusals(texts: dict[int, str], error: Any) -> dict[str, Any]:
    return {str(status): _json(text, error) for status, text in texts.items()}
