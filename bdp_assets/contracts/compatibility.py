"""Whether a changed JSON Schema breaks those who read or write a topic.

It compares what may be written with what is read, for the part of JSON Schema that our files use. What it can
not prove safe (a pattern that is not the same any more) it reports.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

Schema = Mapping[str, Any]
Fault = tuple[str, str]

_LEAST = ("minimum", "exclusiveMinimum", "minLength", "minItems")
_MOST = ("maximum", "exclusiveMaximum", "maxLength", "maxItems")
_SAME = ("pattern", "not", "format", "multipleOf", "const")


class _Side(NamedTuple):
    """A schema, or a part of it, and the document that its references point into."""

    root: Schema
    schema: Schema

    def part(self, schema: Schema) -> _Side:
        return _Side(self.root, schema)


def breaks(old: Schema, new: Schema) -> list[str]:
    """What the change from `old` to `new` breaks, a sentence each; empty: nothing.

    New readers must take what was written by `old`, and no field may vanish. Where an object is open to
    unknown fields, readers of `old` live on beside new writers, and must take what `new` writes as well.
    """
    gone = sorted(set(old.get("properties", {})) - set(new.get("properties", {})))
    found = [f"{name}: the field is gone" for name in gone]
    before, after = _Side(old, old), _Side(new, new)
    found += [
        f"{path}: {what}, which old messages do not keep" for path, what in _unreadable(before, after, "")
    ]
    if old.get("additionalProperties") is not False:
        found += [
            f"{path}: {what} for readers that stay as they are"
            for path, what in _unreadable(after, before, "")
        ]
    return found


def _unreadable(written: _Side, read: _Side, path: str) -> Iterator[Fault]:
    """(path, demand) of every demand of the reader that a value of the writer may not meet."""
    written, read = _resolved(written), _resolved(read)
    yield from ((path or "value", what) for what in _narrower(written.schema, read.schema))
    yield from (
        (f"{path}{name}", "is required") for name in sorted(_newly_required(written.schema, read.schema))
    )
    yield from _unreadable_fields(written, read, path)
    items = written.schema.get("items"), read.schema.get("items")
    if items[0] is not None and items[1] is not None:
        yield from _unreadable(written.part(items[0]), read.part(items[1]), f"{path}[]")


def _resolved(side: _Side) -> _Side:
    reference = side.schema.get("$ref")
    if reference is None:
        return side
    target: Any = side.root
    for step in reference.removeprefix("#/").split("/"):
        target = target[step]
    return side.part(target)


def _newly_required(written: Schema, read: Schema) -> set[str]:
    return set(read.get("required", ())) - set(written.get("required", ()))


def _narrower(written: Schema, read: Schema) -> Iterator[str]:
    if not _types(written) <= _types(read):
        yield "the type is another or narrower"
    if "enum" in read and not set(written.get("enum", [...])) <= set(read["enum"]):
        yield "fewer values are known"
    for key in _LEAST:
        if key in read and written.get(key, float("-inf")) < read[key]:
            yield f"{key} is higher"
    for key in _MOST:
        if key in read and written.get(key, float("inf")) > read[key]:
            yield f"{key} is lower"
    for key in _SAME:
        if key in read and written.get(key) != read[key]:
            yield f"{key} is another"


def _types(schema: Schema) -> set[str]:
    named = schema.get("type", ["array", "boolean", "null", "number", "object", "string"])
    types = {named} if isinstance(named, str) else set(named)
    return types | {"integer"} if "number" in types else types


def _unreadable_fields(written: _Side, read: _Side, path: str) -> Iterator[Fault]:
    """Fields that both know are compared; the reader's rule for unknown ones goes for the others."""
    others = read.schema.get("additionalProperties", True)
    known = read.schema.get("properties", {})
    extra = written.schema.get("additionalProperties", True)
    for name, field in written.schema.get("properties", {}).items():
        target = known.get(name, others)
        if target is False:
            yield f"{path}{name}", "unknown fields are refused"
        elif target is not True:
            yield from _unreadable(written.part(field), read.part(target), f"{path}{name}")
    if others is False and extra is not False:
        yield path or "value", "unknown fields are refused"
    elif isinstance(others, Mapping) and isinstance(extra, Mapping):
        yield from _unreadable(written.part(extra), read.part(others), f"{path}*")
