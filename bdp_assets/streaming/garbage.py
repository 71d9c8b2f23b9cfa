"""Cyclic garbage, collected between batches only.

A batch makes some hundred thousand objects and hardly a cycle among them. By itself, the collector would
walk through them again and again while they are in use: a fifth of a worker's time
(docs/stream-performance.md).
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

from bdp_assets.clients.kafka import Message
from bdp_assets.streaming.items import Output
from bdp_assets.streaming.runner import Process


def collected_between(process: Process) -> Process:
    """`process`, with the collector off and called before each batch. What is loaded by now is left alone."""
    gc.collect()
    gc.freeze()
    gc.disable()

    def run(messages: Sequence[Message]) -> list[Output]:
        gc.collect()
        return process(messages)

    return run
