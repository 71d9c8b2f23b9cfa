"""JSON Schema, the typed decoder and the Pandera model accept and refuse the same records."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from random import Random
from typing import Any

from hypothesis import given, settings
from jsonschema import Draft202012Validator
from pandera.errors import SchemaErrors

from bdp_assets.contracts import topics, wire
from bdp_assets.contracts.frames import RawTransactionFrame, wire_frame
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.contracts.strategies import (
    GOOD,
    any_record,
    any_records,
    as_json,
    good_record,
    good_records,
)

SCHEMA = json.loads(topics.RAW.schema_path.read_text())
VALIDATOR = Draft202012Validator(SCHEMA)


def loads(text: str) -> Any:
    return json.loads(text, parse_float=Decimal)


def odd_fields(record: dict[str, Any]) -> Any:
    """Names and types of fields that are not what their column is made of: they make frames apart."""
    odd = {name: type(value).__name__ for name, value in record.items() if not _is_natural(name, value)}
    return (*sorted(odd.items()), *sorted(wire.REQUIRED - set(record)))


def _is_natural(name: str, value: object) -> bool:
    if value is None:
        return name in wire.BOUNDS or name in wire.FORMS
    return (
        isinstance(value, str)
        if name in wire.FORMS
        else name in wire.BOUNDS and type(value) in (int, Decimal)
    )


def pandera_accepts(records: list[dict[str, Any]]) -> list[bool]:
    """The model's verdict on each record, in few frames."""
    groups: dict[Any, list[int]] = defaultdict(list)
    for index, record in enumerate(records):
        groups[odd_fields(record)].append(index)
    refused: set[int] = set()
    for indices in groups.values():
        try:
            RawTransactionFrame.validate(wire_frame([records[index] for index in indices]), lazy=True)
        except SchemaErrors as errors:
            rows = errors.failure_cases["index"]
            refused.update(indices if rows.null_count() else [indices[row] for row in rows])
    return [index not in refused for index in range(len(records))]


@settings(max_examples=cases(300))
@given(any_records)
def test_schema_and_decoder_agree(record: dict[str, str]) -> None:
    text = as_json(record)
    assert (wire.read(text.encode()) is not None) == VALIDATOR.is_valid(loads(text))


def test_all_three_agree_on_thousands() -> None:
    rng = Random(20240115)
    texts = [as_json(any_record(rng)) for _ in range(cases(4000))]
    values = [loads(text) for text in texts]
    by_schema = [VALIDATOR.is_valid(value) for value in values]
    assert 0.25 < sum(by_schema) / len(texts) < 0.75
    assert disagreements(texts, by_schema, [wire.read(text.encode()) is not None for text in texts]) == []
    assert disagreements(texts, by_schema, pandera_accepts(values)) == []


def disagreements(texts: list[str], left: list[bool], right: list[bool]) -> list[tuple[str, bool, bool]]:
    return [case for case in zip(texts, left, right, strict=True) if case[1] != case[2]]


def edges() -> Iterator[dict[str, str]]:
    """Records one step outside the contract, one field at a time."""
    good = good_record(Random(1))
    for name, bounds in wire.BOUNDS.items():
        yield {**good, name: f"{bounds.low}.001" if bounds.low else "-0.001"}
        if bounds.high is not None:
            yield {**good, name: f"{bounds.high}.001"}
    for name in wire.FORMS:
        for token in GOOD[name]:
            yield from (
                {**good, name: f'"{outside}"'} for outside in (f"{token[1:-1]}\\n", f" {token[1:-1]}", "")
            )


def test_all_three_refuse_what_is_one_step_outside() -> None:
    texts = [as_json(record) for record in edges()]
    nothing = [False] * len(texts)
    assert disagreements(texts, nothing, [VALIDATOR.is_valid(loads(text)) for text in texts]) == []
    assert disagreements(texts, nothing, [wire.read(text.encode()) is not None for text in texts]) == []
    assert disagreements(texts, nothing, pandera_accepts([loads(text) for text in texts])) == []


@settings(max_examples=cases(100))
@given(good_records)
def test_good_records_are_good(record: dict[str, str]) -> None:
    """Else the agreement above would be one of refusals."""
    assert VALIDATOR.is_valid(loads(as_json(record)))


def test_the_patterns_are_the_same_in_schema_and_code() -> None:
    fields = SCHEMA["properties"]
    assert {name: f"^{form.pattern}$" for name, form in wire.FORMS.items()} == {
        name: field["pattern"] for name, field in fields.items() if "pattern" in field
    }
    assert set(fields) == set(wire.RawTransaction.__struct_fields__)
    assert set(SCHEMA["required"]) == wire.REQUIRED
