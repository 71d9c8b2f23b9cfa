"""Records to bytes and back: UTF-8 JSON by field name, and the header that says the schema's version."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

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

SCHEMA_VERSION_HEADER = "schema-version"

encode = msgspec.json.Encoder().encode
"""encode(record) -> bytes: compact UTF-8 JSON, fields in the order of the class."""


def extended(record: bytes, more: Mapping[str, object]) -> bytes:
    """An encoded record with more fields at its end."""
    return record[:-1] + b"," + encode(more)[1:]


# Decoders refuse what is missing or of another type and skip unknown fields: a reader outlives additions.
decode_validated = msgspec.json.Decoder(ValidatedTransaction).decode
decode_enriched = msgspec.json.Decoder(EnrichedTransaction).decode
decode_prediction = msgspec.json.Decoder(Prediction).decode
decode_alert = msgspec.json.Decoder(Alert).decode
decode_label = msgspec.json.Decoder(Label).decode
decode_adjustment = msgspec.json.Decoder(Adjustment).decode
decode_dead_letter = msgspec.json.Decoder(DeadLetter).decode
decode_window_aggregate = msgspec.json.Decoder(WindowAggregate).decode


def schema_version_header(topic: Topic) -> tuple[str, bytes]:
    """Kafka header of every message on that topic."""
    return SCHEMA_VERSION_HEADER, str(topic.schema_version).encode()
