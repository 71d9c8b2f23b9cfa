"""The floor: consume and produce again, nothing else, offsets and messages in one transaction.

Without any code of ours between the driver and this loop. Ends at SIGTERM.
"""

from __future__ import annotations

import signal
import sys
from typing import Any

from confluent_kafka import TopicPartition

from bdp_assets.clients.kafka import consumer, transactional_producer
from bdp_assets.contracts.topics import RAW
from bdp_assets.settings import Settings, get_settings

GROUP = "bdp-bench-pass-through"
OUTPUT = "bench-pass-through"
_CALL_S = 10.0


def run(settings: Settings, slot: int) -> None:
    reader = consumer(settings, GROUP)
    writer = transactional_producer(settings, f"{GROUP}-{slot}")
    writer.init_transactions(_CALL_S)
    reader.subscribe([RAW.name])
    going = [True]
    signal.signal(signal.SIGTERM, lambda *_: going.clear())
    while going:
        messages = reader.consume(settings.stream_batch_messages, settings.stream_batch_ms / 1000)
        if messages:
            _pass_on(reader, writer, messages)
    reader.close()


def _pass_on(reader: Any, writer: Any, messages: list[Any]) -> None:
    writer.begin_transaction()
    last: dict[int, int] = {}
    for message in messages:
        writer.produce(OUTPUT, key=message.key(), value=message.value())
        last[message.partition()] = message.offset() + 1
    offsets = [TopicPartition(RAW.name, partition, offset) for partition, offset in last.items()]
    writer.send_offsets_to_transaction(offsets, reader.consumer_group_metadata(), _CALL_S)
    writer.commit_transaction(_CALL_S)


if __name__ == "__main__":
    run(get_settings(), int(sys.argv[1]))
