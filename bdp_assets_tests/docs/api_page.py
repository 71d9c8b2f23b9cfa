"""docs/api-reference.md, from the OpenAPI document that the API itself serves."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bento import openapi

_HEAD = """# API reference

Every route with what it takes and answers, made from the document that the running API has at `/openapi.json`
and shows at `/docs`. What happens on bad days: [The API on bad days](api.md). Keys and limits:
[security](security.md). A refusal is an [Error](#error), and never repeats what was sent.
"""


def page() -> str:
    """The whole page as Markdown."""
    document = json.loads(openapi.document())
    routes = [
        line
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for line in _route(f"{method.upper()} {path}", operation)
    ]
    schemas = document["components"]["schemas"]
    bodies = [line for name in schemas for line in _schema(name, schemas[name])]
    return "\n".join([_HEAD, "## Routes", *routes, "## Bodies", *bodies]).rstrip() + "\n"


def _route(title: str, operation: Mapping[str, Any]) -> Iterator[str]:
    scopes = dict.fromkeys(
        scope for need in operation.get("security", ()) for names in need.values() for scope in names
    )
    yield f"### {title}"
    yield f"{operation['summary']}. {operation.get('description', '')}".strip()
    yield f"Key: {' or '.join(f'`{scope}`' for scope in scopes) or 'none'}.\n"
    if parameters := operation.get("parameters"):
        yield from _table(("parameter", "in", "meaning"), map(_parameter, parameters))
    if body := operation.get("requestBody"):
        [content] = body["content"].values()
        yield f"```json\n{json.dumps(content['example'], indent=2)}\n```\n"
    answers = sorted(operation["responses"].items())
    yield from _table(
        ("status", "means", "body"), ((code, one["description"], _body(one)) for code, one in answers)
    )


def _parameter(parameter: Mapping[str, Any]) -> tuple[str, str, str]:
    return f"`{parameter['name']}`", parameter["in"], parameter.get("description", "")


def _body(response: Mapping[str, Any]) -> str:
    [content] = response["content"].values()
    return _type(content["schema"])


def _schema(name: str, schema: Mapping[str, Any]) -> Iterator[str]:
    yield f"### {name}"
    if values := schema.get("enum"):
        yield f"One of {', '.join(f'`{value}`' for value in values)}.\n"
        return
    required = schema.get("required", ())
    rows = (
        (f"`{field}`", _type(one), "yes" if field in required else "", one.get("description", ""))
        for field, one in schema["properties"].items()
    )
    yield from _table(("field", "type", "required", "meaning"), rows)


def _type(schema: Mapping[str, Any]) -> str:
    """In words; names of other bodies link to them."""
    match schema:
        case {"$ref": reference}:
            name = reference.rpartition("/")[2]
            return f"[{name}](#{name.lower()})"
        case {"anyOf": choices}:
            return " or ".join(_type(choice) for choice in choices)
        case {"type": "array", "items": items}:
            return f"array of {_type(items)}"
        case {"enum": values}:
            return " or ".join(f"`{value}`" for value in values)
        case {"type": list() as kinds}:
            return " or ".join(kinds)
        case {"type": kind}:
            return str(kind)
    raise ValueError(f"no word for a schema with the keys {', '.join(schema)}")


def _table(head: tuple[str, ...], rows: Any) -> Iterator[str]:
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    for row in rows:
        yield f"| {' | '.join(text.replace('|', chr(92) + '|') for text in row)} |"
    yield ""
