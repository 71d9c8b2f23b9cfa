"""What passes from step to step: always with the message it came from."""

from __future__ import annotations

from typing import NamedTuple

from bdp_assets.clients.kafka import Header, Message
from bdp_assets.contracts.records import Alert, Label, ValidatedTransaction
from bdp_assets.features.online import Enrichment


class Validated(NamedTuple):
    message: Message
    transaction: ValidatedTransaction
    value: bytes
    """The transaction, encoded."""


class Enriched(NamedTuple):
    message: Message
    transaction: ValidatedTransaction
    value: bytes
    enrichment: Enrichment
    features: dict[str, float]
    """Encoded, see `encode_vector`."""


class Decided(NamedTuple):
    message: Message
    customer_id: str
    prediction: bytes
    """Encoded: a decision of the API is published byte for byte."""
    alert: Alert | None


class Labelled(NamedTuple):
    message: Message
    label: Label


class Dead(NamedTuple):
    """A message that `step` refused; `dlq.letter` makes its dead letter."""

    message: Message
    step: str
    error: str
    text: str
    field: str | None = None
    keeps_value: bool = True
    """Whether the dead letter has the message's bytes; without them it can not be sent again."""


class Output(NamedTuple):
    """A record on its way to Kafka."""

    topic: str
    key: str
    value: bytes
    headers: tuple[Header, ...]
