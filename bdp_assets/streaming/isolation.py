"""Poison: a message on which a step crashes is found by bisection, and the rest of the batch goes on."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import TypeVar

from bdp_assets.clients.kafka import Message
from bdp_assets.clients.outage import Outage
from bdp_assets.observability.logging import describe
from bdp_assets.streaming.dlq import crashed
from bdp_assets.streaming.items import Dead

ItemT = TypeVar("ItemT")
ResultT = TypeVar("ResultT")

Step = Callable[[Sequence[ItemT]], tuple[list[ResultT], list[Dead]]]

_log = logging.getLogger(__name__)


def isolate(
    name: str, step: Step[ItemT, ResultT], items: Sequence[ItemT], message_of: Callable[[ItemT], Message]
) -> tuple[list[ResultT], list[Dead]]:
    """What `step` makes of `items`, in order, where it crashes on none; each of those becomes a dead letter.

    A step may run several times on the same items, so it must be idempotent. Raises Outage: that is nobody's
    fault in the batch, and passes.
    """
    if not items:
        return [], []
    try:
        return step(items)
    except (Outage, MemoryError):
        raise
    except Exception as error:  # noqa: BLE001 - whatever a poison message makes a step raise
        if len(items) == 1:
            message = message_of(items[0])
            _log.error(
                "step crashed on a message: it goes to the dead letters", extra=_where(name, message, error)
            )
            return [], [crashed(message, name, error)]
    middle = len(items) // 2
    first, first_dead = isolate(name, step, items[:middle], message_of)
    second, second_dead = isolate(name, step, items[middle:], message_of)
    return first + second, first_dead + second_dead


def _where(name: str, message: Message, error: Exception) -> dict[str, object]:
    return {"step": name, "partition": message.partition, "offset": message.offset, **describe(error)}
