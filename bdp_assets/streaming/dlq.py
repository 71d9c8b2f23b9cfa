"""Dead letters: why a message was refused, with its original bytes."""

from __future__ import annotations

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.dead_letters import content
from bdp_assets.contracts.erasure import CUSTOMER_ERASED, REFUSAL
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.streaming.items import Dead

STEP_CRASHED = "step_crashed"


def letter(dead: Dead, pan_key: bytes) -> DeadLetter:
    """The dead letter of a refused message; card numbers in its bytes are masked, and hashed with the key."""
    message = dead.message
    return DeadLetter(
        source_topic=message.topic,
        source_partition=message.partition,
        source_offset=message.offset,
        received_ms=message.timestamp_ms,
        error=dead.error,
        field=dead.field,
        message=dead.text,
        **content(message.value if dead.keeps_value else None, pan_key),
    )


def of_an_erased(message: Message, step: str) -> Dead:
    """A message about what was erased: its letter has nothing of it but where it stood."""
    return Dead(message, step, CUSTOMER_ERASED, REFUSAL, "customer_id", keeps_value=False)


def crashed(message: Message, step: str, error: Exception) -> Dead:
    """A message on which `step` raised what it should not; the error's text stays out."""
    text = f"The step {step} failed on this message ({type(error).__name__}). The worker's log has the place."
    return Dead(message, step, STEP_CRASHED, text)
