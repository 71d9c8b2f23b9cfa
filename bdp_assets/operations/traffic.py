"""Plays records onto the raw topic (some through the API, if asked) at a steady rate; keeps a journal.

Simulated frauds are followed by their labels, see `traffic_labels`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from http import HTTPStatus
from itertools import islice
from pathlib import Path

from bdp_assets.clients.kafka import KafkaRefused, Publisher, watermarks
from bdp_assets.contracts.codec import schema_version_header
from bdp_assets.contracts.headers import TRACEPARENT
from bdp_assets.contracts.topics import RAW
from bdp_assets.observability.trace_context import draw, new
from bdp_assets.operations.traffic_api import ApiCaller
from bdp_assets.operations.traffic_journal import Answer, Journal, Outgoing, new_journal
from bdp_assets.operations.traffic_labels import Complaints
from bdp_assets.settings import Settings

PROGRESS_EVERY_S = 0.1
Progress = Callable[[int], None]


@dataclass(frozen=True)
class TrafficReport:
    """What was sent and arrived."""

    sent: int
    bad: int
    """Of those, records that are going to be refused."""
    kinds: Mapping[str, int]
    offsets: Mapping[int, tuple[int, int]]
    """Raw partition -> its end before and after; others may have produced in between."""
    answers: Mapping[int, int]
    """HTTP status -> calls; 0 is no answer."""
    seconds: float
    journal: Path
    """A JSON line for each record that arrived: see `traffic_journal.Line`."""


def play(  # noqa: PLR0913 - what, how fast, how long and by which door
    settings: Settings,
    source: Iterator[Outgoing],
    *,
    rate: float,
    seconds: float,
    progress: Progress = lambda sent: None,
    api_share: float = 0.0,
) -> TrafficReport:
    """Send rate * seconds records (or as many as there are), record number n at n / rate seconds.

    Args:
        progress: called about ten times a second with the number sent so far.
        api_share: share (0 to 1) of the good records that go to `POST /api/v1/predict` instead.

    Raises:
        KafkaUnavailable, KafkaRefused, DeliveryFailed: the journal has what arrived until then.
    """
    before = _raw_ends(settings)
    began = time.monotonic()
    with ExitStack() as stack:
        journal = Journal(stack.enter_context(new_journal(settings.home)))
        sending = _Sending(Publisher(settings), journal, settings.traced_share)
        api = stack.enter_context(ApiCaller(settings, sending.answered))
        records = _paced(islice(source, round(rate * seconds)), rate, progress)
        _send_all(records, sending, api, api_share)
        sending.publisher.flush()
    after = _raw_ends(settings)
    return TrafficReport(
        sent=journal.kinds.total(),
        bad=journal.bad,
        kinds=dict(journal.kinds),
        offsets={partition: (before[partition], end) for partition, end in after.items()},
        answers=dict(journal.answers),
        seconds=time.monotonic() - began,
        journal=journal.path,
    )


class _Sending:
    """Records on their way; what arrived is noted, and complained of where it is fraud."""

    def __init__(self, publisher: Publisher, journal: Journal, traced_share: float) -> None:
        self.publisher = publisher
        self.complaints = Complaints(publisher)
        self._journal = journal
        self._traced_share = traced_share

    def trace(self) -> str:
        """W3C trace context of a trace that begins here; the API or a worker tells its first span."""
        return new(sampled=draw(self._traced_share))

    def answered(self, record: Outgoing, sent_ms: int, answer: Answer) -> None:
        """By the API; in a thread of its caller."""
        self._journal.answered(record, sent_ms, answer)
        if answer.status == HTTPStatus.OK:
            self.complaints.arrived(record)

    def publish(self, record: Outgoing) -> None:
        """To Kafka."""
        sent_ms = time.time_ns() // 1_000_000

        def on_delivery(written: bool) -> None:
            if written:
                self._journal.delivered(record, sent_ms)
                self.complaints.arrived(record)

        self.publisher.send(
            RAW.name,
            key=record.customer_id,
            value=record.value,
            headers=[schema_version_header(RAW), (TRACEPARENT, self.trace().encode())],
            on_delivery=on_delivery,
        )


def _send_all(records: Iterator[Outgoing], sending: _Sending, api: ApiCaller, api_share: float) -> None:
    api_due = 0.0
    for record in records:
        sending.complaints.publish()
        api_due += 0.0 if record.is_bad else api_share
        if api_due >= 1.0 and not record.is_bad:
            api_due -= 1.0
            api.send(record, sending.trace())
        else:
            sending.publish(record)


def _paced(records: Iterator[Outgoing], rate: float, progress: Progress) -> Iterator[Outgoing]:
    """Each record at its time; late ones at once, so that the rate holds on average."""
    began = told = time.monotonic()
    number = 0
    for number, record in enumerate(records, 1):
        ahead = began + (number - 1) / rate - time.monotonic()
        if ahead > 0:
            time.sleep(ahead)
        yield record
        if time.monotonic() - told >= PROGRESS_EVERY_S:
            told = time.monotonic()
            progress(number)
    progress(number)


def _raw_ends(settings: Settings) -> dict[int, int]:
    ends = {partition: end for (_, partition), (_, end) in watermarks(settings, [RAW.name]).items()}
    if not ends:
        raise KafkaRefused(f"Kafka at {settings.kafka} has no topic {RAW.name}: `bdp up` makes it.")
    return ends
