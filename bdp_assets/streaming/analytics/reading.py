"""From messages to the frames that `figures` works on."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec
import polars as pl

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.codec import decode_validated
from bdp_assets.contracts.errors import ContractError
from bdp_assets.contracts.labels import decode_label
from bdp_assets.contracts.records import Label
from bdp_assets.contracts.wire import FORMS
from bdp_assets.streaming.analytics.catalog import DIMENSIONS
from bdp_assets.streaming.analytics.figures import KEY
from bdp_assets.streaming.items import Dead, Validated

STEP = "analytics"
NOT_DECODABLE = "not_decodable"
_NOT_DECODABLE = "The message is no validated transaction. Only the platform's workers should write there."
EXACT = 2**53
"""Whole numbers below this are exact in JSON and in every column."""

_FIELDS = (*KEY, *DIMENSIONS)
_FORMS = {name: re.compile(FORMS[name].pattern) for name in _FIELDS}

EVENTS = {
    "partition": pl.Int64,
    "offset": pl.Int64,
    "source": pl.String,
    **dict.fromkeys(KEY, pl.String),
    "ts_ms": pl.Int64,
    "amount_base_minor": pl.Int64,
    **dict.fromkeys(DIMENSIONS, pl.String),
}
LABELS = {**dict.fromkeys(KEY, pl.String), "label": pl.Int64}


def read_transactions(messages: Sequence[Message]) -> tuple[list[Validated], list[Dead]]:
    """Messages of the validated topic, as its contract has them."""
    read, refused = [], []
    for message in messages:
        value = message.value or b""
        try:
            transaction = decode_validated(value)
        except (msgspec.DecodeError, UnicodeDecodeError):
            refused.append(Dead(message, STEP, NOT_DECODABLE, _NOT_DECODABLE))
            continue
        if max(transaction.ts_ms, transaction.amount_base_minor) < EXACT and _is_formed(transaction, _FIELDS):
            read.append(Validated(message, transaction, value))
        else:
            refused.append(Dead(message, STEP, NOT_DECODABLE, _NOT_DECODABLE))
    return read, refused


def read_labels(messages: Sequence[Message]) -> tuple[list[Label], list[Dead]]:
    """Messages of the labels topic. Those that break the contract are the labels worker's to refuse."""
    read = []
    for message in messages:
        try:
            label = decode_label(message.value, received_ms=message.timestamp_ms)
        except ContractError:
            continue
        if _is_formed(label, KEY):  # no transaction has another id
            read.append(label)
    return read, []


def _is_formed(record: object, fields: Sequence[str]) -> bool:
    """Whether texts have the raw contract's form: PostgreSQL takes no NUL, and indexes nothing too long."""
    texts = [(name, getattr(record, name)) for name in fields]
    return all(_FORMS[name].fullmatch(text) for name, text in texts if text is not None)


def events(items: Sequence[Validated], coordinates: Callable[[Message], str]) -> pl.DataFrame:
    """EVENTS, in the order of the items."""
    fields = list(EVENTS)[3:]
    rows = [
        (message.partition, message.offset, coordinates(message), *(getattr(one, name) for name in fields))
        for message, one, _ in items
    ]
    return pl.DataFrame(rows, EVENTS, orient="row")


def latest_labels(labels: Sequence[Label]) -> pl.DataFrame:
    """LABELS: the latest of each transaction."""
    rows = [(one.customer_id, one.transaction_id, one.known_at_ms, one.is_fraud) for one in labels]
    known = {**dict.fromkeys(KEY, pl.String), "known_at_ms": pl.Int64, "is_fraud": pl.Boolean}
    return as_latest(pl.DataFrame(rows, known, orient="row"))


def as_latest(labels: pl.DataFrame) -> pl.DataFrame:
    """From KEY, known_at_ms and is_fraud: the latest of each, as one number that grows with lateness.

    Of two that became known in the same millisecond the one that says fraud stands, whichever came first: so
    labels may come in any order, and again.
    """
    order = 2 * pl.col("known_at_ms") + pl.col("is_fraud").cast(pl.Int64)
    return labels.group_by(KEY).agg(label=order.max())
