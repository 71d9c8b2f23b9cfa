"""The typed records and `schemas/*.schema.json` are the same contract."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from bdp_assets.contracts import codec, topics
from bdp_assets.contracts.records import (
    Adjustment,
    Alert,
    DeadLetter,
    EnrichedTransaction,
    Label,
    Prediction,
    ValidatedTransaction,
    WindowAggregate,
)
from bdp_assets.contracts.topics import Topic
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets_tests.effort import cases
from bdp_assets_tests.unit.contracts.strategies import typed_records

Record = type[msgspec.Struct]
RECORDS: list[tuple[Topic, Record, Callable[[bytes], Any]]] = [
    (topics.VALIDATED, ValidatedTransaction, codec.decode_validated),
    (topics.ENRICHED, EnrichedTransaction, codec.decode_enriched),
    (topics.PREDICTIONS, Prediction, codec.decode_prediction),
    (topics.ALERTS, Alert, codec.decode_alert),
    (topics.DLQ, DeadLetter, codec.decode_dead_letter),
    (topics.ANALYTICS, WindowAggregate, codec.decode_window_aggregate),
    (topics.LABELS, Label, codec.decode_label),
    (topics.ADJUSTMENTS, Adjustment, codec.decode_adjustment),
]
each_record = pytest.mark.parametrize(
    ("topic", "record", "decode"), RECORDS, ids=lambda part: getattr(part, "name", None)
)
each_topic = pytest.mark.parametrize("topic", topics.TOPICS.values(), ids=lambda topic: topic.name)
WRONG: list[Any] = [
    *(None, True, -1, -0.5, 1.5, 90.5, -90.5, 180.5, -180.5),
    *("", "x" * 31, "x" * 33, "x" * 64, "x" * 65, "x" * 161),
    *([], [1], ["a"], [{}], [{"code": "c"}], [{"code": 1, "text": "t"}], {}, {"a": "b"}, {"a": 1}),
]


def schema_of(topic: Topic) -> dict[str, Any]:
    return dict(json.loads(topic.schema_path.read_bytes()))


def test_every_topic_but_raw_has_a_record() -> None:
    assert {topic.name for topic, _, _ in RECORDS} | {topics.RAW.name} == set(topics.TOPICS)


@each_topic
def test_schemas_are_draft_2020_12_and_explain_every_field(topic: Topic) -> None:
    schema = schema_of(topic)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert schema["$id"] == topic.schema == f"{topic.name}.schema.json"
    assert schema["title"]
    assert schema["description"]
    assert all(field["description"] for field in schema["properties"].values() if "$ref" not in field)


@each_topic
def test_examples_are_valid(topic: Topic) -> None:
    schema = schema_of(topic)
    assert schema["examples"]
    for example in schema["examples"]:
        Draft202012Validator(schema).validate(example)


def test_examples_of_raw_transactions_keep_the_whole_contract() -> None:
    for example in schema_of(topics.RAW)["examples"]:
        assert decode_transaction(json.dumps(example).encode(), received_ms=2**42).transaction_id


@each_record
def test_fields_and_which_are_required_are_the_same(topic: Topic, record: Record, decode: Any) -> None:
    schema, fields = schema_of(topic), msgspec.structs.fields(record)
    assert list(schema["properties"]) == [field.name for field in fields]
    assert set(schema["required"]) == {field.name for field in fields if field.required}


@each_record
@settings(max_examples=cases(30))
@given(data=st.data())
def test_every_record_is_one_that_its_schema_accepts_and_comes_back_as_it_was(
    topic: Topic, record: Record, decode: Any, data: st.DataObject
) -> None:
    sent = data.draw(typed_records(record))
    encoded = codec.encode(sent)
    Draft202012Validator(schema_of(topic)).validate(json.loads(encoded))
    assert decode(encoded) == sent


@each_record
def test_a_broken_record_is_refused_by_both_or_none(topic: Topic, record: Record, decode: Any) -> None:
    validator = Draft202012Validator(schema_of(topic))
    example = schema_of(topic)["examples"][0]
    for name in example:
        absent = {key: value for key, value in example.items() if key != name}
        for value in [absent, *({**example, name: wrong} for wrong in WRONG)]:
            assert accepts(decode, json.dumps(value).encode()) == validator.is_valid(value), (
                name,
                value.get(name),
            )


def accepts(decode: Callable[[bytes], Any], encoded: bytes) -> bool:
    try:
        decode(encoded)
    except msgspec.ValidationError:
        return False
    return True
