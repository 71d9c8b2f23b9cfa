"""Traffic that goes on while the online store is rebuilt, and what must hold of it at the end."""

from __future__ import annotations

import random
import threading
import time
from collections import deque

import polars as pl

from bdp_assets.clients.kafka import Publisher, topic_ids, watermarks
from bdp_assets.clients.lake import Lake
from bdp_assets.contracts.codec import decode_enriched, encode
from bdp_assets.contracts.records import EnrichedTransaction, Label, ValidatedTransaction
from bdp_assets.contracts.topics import ENRICHED, LABELS, RAW, Topic
from bdp_assets.contracts.transaction import decode_transaction
from bdp_assets.features.times import DAY, MINUTE
from bdp_assets.ingest.landing import land
from bdp_assets.ingest.offsets import due_ranges, landed_offsets
from bdp_assets.streaming import groups
from bdp_assets_tests.fakes.messages import NOW_MS, body
from bdp_assets_tests.integration.stream import Stream, until

START, STEP = NOW_MS - 200 * DAY, 20 * MINUTE
PER_SECOND = 120
STREAMED, BY_API, MERCHANTS = 20, 8, 6
FRAUD_SHARE = 0.1
BLOCK, BEHIND = 50, 60
"""Traffic waits after each block until the workers are this close: merchants' windows allow for 7 days."""


class Traffic:
    """Transactions in order of event time; some are claimed by the API and come by Kafka later, mixed up."""

    def __init__(self, stream: Stream, seed: int) -> None:
        self.sent: list[ValidatedTransaction] = []
        self.labels: list[Label] = []
        self.repeated = 0
        self.failure: BaseException | None = None
        self._stream = stream
        self._random = random.Random(seed)
        self._api = stream.store
        self._publisher = Publisher(stream.settings)
        self._held: list[tuple[int, str, bytes]] = []
        self._complaints: deque[Label] = deque()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self.failure is not None:
            raise self.failure

    def goes_on(self, number: int) -> None:
        """Wait until so many more were sent."""
        wanted = len(self.sent) + number
        until(lambda: len(self.sent) >= wanted or self.failure is not None)
        assert self.failure is None

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._block()
            self._held = [(0, customer, value) for _, customer, value in self._held]
            self._deliver_held()
            self._publisher.flush()
        except BaseException as error:  # noqa: BLE001 - the test's own thread raises it
            self.failure = error

    def _block(self) -> None:
        for _ in range(BLOCK):
            self._one()
            time.sleep(1 / PER_SECOND)
        self._complain()
        self._publisher.flush()
        topics = ((groups.SCORING, RAW, BEHIND), (groups.LABELS, LABELS, 0))
        for group, topic, behind in topics:
            until(lambda g=group, t=topic, b=behind: self._lag(g, t) <= b)  # type: ignore[misc]

    def _one(self) -> None:
        number = len(self.sent)
        by_api = self._random.random() < 0.3
        name = f"api-{number % BY_API}" if by_api else f"c-{self._random.randrange(STREAMED)}"
        moment = pl.Series([START + number * STEP]).cast(pl.Datetime("ms", "UTC")).dt.to_string("iso:strict")
        fields = {"merchant_id": f"m-{self._random.randrange(MERCHANTS)}", "timestamp": moment[0]}
        value = body(f"t-{number}", name, amount=self._random.randrange(1, 900), **fields)
        transaction = decode_transaction(value, received_ms=2_000_000_000_000)
        self.sent.append(transaction)
        if by_api:
            self._call(transaction, value)
        else:
            self._publisher.send(RAW.name, key=name, value=value)
        if self._random.random() < FRAUD_SHARE:
            self._complaints.append(_label(transaction))
        if self._random.random() < 0.02:
            self._repeat()
        self._deliver_held()

    def _call(self, transaction: ValidatedTransaction, value: bytes) -> None:
        """As the API does it; the message is on its way for a while."""
        [answer] = self._api.enrich([transaction], [None])
        assert answer.status in ("new", "redelivery"), "a redelivery where the store changed in mid-call"
        due = len(self.sent) + self._random.choice((0, 0, 20, 90))
        self._held.append((due, transaction.customer_id, value))

    def _deliver_held(self) -> None:
        due = [held for held in self._held if held[0] <= len(self.sent)]
        self._held = [held for held in self._held if held[0] > len(self.sent)]
        self._random.shuffle(due)
        for _, customer, value in due:
            self._publisher.send(RAW.name, key=customer, value=value)

    def _repeat(self) -> None:
        """One of the stream's own once more: a duplicate."""
        streamed = [t for t in self.sent[-300:] if t.customer_id.startswith("c-")]
        if streamed:
            again = self._random.choice(streamed)
            fields = {"merchant_id": again.merchant_id, "timestamp": again.timestamp}
            value = body(again.transaction_id, again.customer_id, amount=int(float(again.amount)), **fields)
            assert decode_transaction(value, received_ms=2_000_000_000_000).body_hash == again.body_hash
            self._publisher.send(RAW.name, key=again.customer_id, value=value)
            self.repeated += 1

    def _complain(self) -> None:
        """Each label 5 days after its transaction; some are taken back."""
        now = START + len(self.sent) * STEP
        while self._complaints and self._complaints[0].known_at_ms <= now:
            label = self._complaints.popleft()
            self.labels.append(label)
            self._publisher.send(LABELS.name, key=label.customer_id, value=encode(label))

    def _lag(self, group: str, topic: Topic) -> int:
        ends = sum(end for _, end in watermarks(self._stream.settings, [topic.name]).values())
        return ends - self._stream.done(group, topic)


def _label(of: ValidatedTransaction) -> Label:
    return Label(
        transaction_id=of.transaction_id,
        customer_id=of.customer_id,
        is_fraud=True,
        known_at_ms=of.ts_ms + 5 * DAY,
        merchant_id=of.merchant_id,
        ts_ms=of.ts_ms,
    )


def land_all(stream: Stream, lake: Lake) -> None:
    """What the landing sensor's run does: all that is in the topics now goes to the lake."""
    for topic in (ENRICHED, LABELS):
        ids = topic_ids(stream.settings, [topic.name])
        marks = watermarks(stream.settings, [topic.name])
        if ranges := due_ranges(marks, ids, landed_offsets(lake, marks, ids)):
            assert land(stream.settings, lake, ranges).failures.is_empty()


def enriched(stream: Stream) -> dict[str, EnrichedTransaction]:
    """By transaction id; each must be there once."""
    rows = [decode_enriched(record.value or b"") for record in stream.records(ENRICHED.name)]
    found = {row.transaction_id: row for row in rows}
    assert len(found) == len(rows)
    return found
