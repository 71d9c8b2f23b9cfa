"""Dead letters: why a message was refused, with its original bytes."""

from __future__ import annotations

from base64 import b64encode

from bdp_assets.clients.kafka import Message
from bdp_assets.contracts.pan import mask_pans
from bdp_assets.contracts.records import DeadLetter
from bdp_assets.streaming.items import Dead

STEP_CRASHED = "step_crashed"


def dead(message: Message, step: str, *, error: str, text: str, field: str | None = None) -> Dead:
    """The dead letter of a message that `step` refused; card numbers in its bytes are masked."""
    # The hashes that would find equal numbers are not recorded yet, so the key does not matter.
    masked, hashes = mask_pans(message.value or b"", b"")
    letter = DeadLetter(
        source_topic=message.topic,
        source_partition=message.partition,
        source_offset=message.offset,
        received_ms=message.timestamp_ms,
        error=error,
        field=field,
        message=text,
        value_base64=b64encode(masked).decode(),
        masked=bool(hashes),
    )
    return Dead(message, step, letter)


def crashed(message: Message, step: str, error: Exception) -> Dead:
    """The dead letter of a message on which `step` raised what it should not; the error's text stays out."""
    text = f"The step {step} failed on this message ({type(error).__name__}). The worker's log has the place."
    return dead(message, step, error=STEP_CRASHED, text=text)
