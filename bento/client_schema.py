"""What BentoML's clients read at /schema.json to find our routes, made from the OpenAPI document.

BentoML itself lists its own API routes there alone, and we have none.
"""

from __future__ import annotations

from typing import Any

JSON = "application/json"


def client_routes(document: dict[str, Any]) -> list[dict[str, Any]]:
    """The routes that take a body, each a method of the client by its operation's name.

    The body is the method's one positional argument, as of a BentoML API `def predict(self, transaction, /)`.
    """
    schemas = document["components"]["schemas"]
    operations = [(path, methods["post"]) for path, methods in document["paths"].items() if "post" in methods]
    return [
        {
            "name": operation["operationId"],
            "route": path,
            "doc": operation["summary"],
            "batchable": False,
            "is_task": False,
            "input": {**_inlined(_schema(operation["requestBody"]), schemas), "root_input": True},
            "output": {**_inlined(_schema(_success(operation)), schemas), "media_type": JSON},
        }
        for path, operation in operations
    ]


def _success(operation: dict[str, Any]) -> dict[str, Any]:
    (success,) = (answer for status, answer in operation["responses"].items() if status.startswith("2"))
    return dict(success)


def _schema(said: dict[str, Any]) -> dict[str, Any]:
    return dict(said["content"][JSON]["schema"])


def _inlined(node: Any, schemas: dict[str, Any]) -> Any:
    """A client follows no reference: each is replaced by what it names. None of ours leads back to itself."""
    match node:
        case {"$ref": str(reference)}:
            return _inlined(schemas[reference.rpartition("/")[2]], schemas)
        case dict():
            return {name: _inlined(value, schemas) for name, value in node.items()}
        case list():
            return [_inlined(value, schemas) for value in node]
        case _:
            return node
