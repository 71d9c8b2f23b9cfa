"""The ledger of the stream: each raw message has exactly one outcome, proved by reading the topics.

Every record names the raw message it came from in its `source` header, so the proof is by message, not by
count. It looks at the raw messages before the scoring group's committed offsets, and only at records that
came from them: exact while traffic flows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bdp_assets.clients.kafka import Message, committed_offsets, stream_range, topic_ids, watermarks
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED
from bdp_assets.operations.ledger_reading import OUTCOMES, REFUSED, Cut, Entries
from bdp_assets.settings import Settings
from bdp_assets.streaming.groups import SCORING


@dataclass(frozen=True)
class Equation:
    """`left` and `right` are numbers that must be equal; `at_least`: or the right one greater."""

    says: str
    left: int
    right: int
    at_least: bool = False

    @property
    def holds(self) -> bool:
        return self.left == self.right or (self.at_least and self.left < self.right)


@dataclass(frozen=True)
class Ledger:
    """What came in, what came of it, and whether that adds up."""

    counts: Mapping[str, int]
    """Messages a topic, dead letters a step; `waiting`: raw messages that nobody has taken yet."""
    refused: Mapping[str, int]
    """Dead letters an error code."""
    equations: tuple[Equation, ...]

    @property
    def balanced(self) -> bool:
        return all(equation.holds for equation in self.equations)


Reads = Callable[[Sequence[Message]], None]
SCORED = tuple(topic.name for topic in (RAW, VALIDATED, ENRICHED, PREDICTIONS, ALERTS, DLQ))


def read_ledger(settings: Settings) -> Ledger:
    """Read all six topics of the scoring stream. Raises KafkaUnavailable, KafkaRefused, OffsetsGone."""
    return balance(read_entries(settings))


def read_entries(settings: Settings, *readers: Reads, besides: Sequence[str] = ()) -> Entries:
    """Read those topics, and others `besides`; every batch goes to the readers too."""
    # The order matters: what a committed offset stands for is in the topics that are measured after it. Their
    # very ends: the last transaction's markers may still be on their way, and reading waits for them.
    committed = committed_offsets(settings, SCORING, [RAW.name])
    ranges = watermarks(settings, [*SCORED, *besides], committed=False)
    raw = {number: low for (name, number), (low, _) in ranges.items() if name == RAW.name}
    cut = Cut(
        topic_id=topic_ids(settings, [RAW.name])[RAW.name],
        lows=raw,
        ends={number: committed.get((RAW.name, number), low) for number, low in raw.items()},
    )
    entries = Entries(cut)
    for batch in stream_range(settings, ranges):
        for reader in (entries.add, *readers):
            reader(batch)
    return entries


def balance(entries: Entries) -> Ledger:
    """The equations over what was read."""
    records, having = entries.records, entries.having
    equations = (
        Equation("raw = validated + refused by validate", records("raw"), records("validated", REFUSED[0])),
        Equation(
            "validated = enriched + refused by enrich",
            records("validated"),
            records("enriched", REFUSED[1]),
        ),
        Equation(
            "enriched = predictions + refused by score",
            records("enriched"),
            records("predictions", REFUSED[2]),
        ),
        Equation("alerts without a prediction = 0", having("alerts", without=["predictions"]), 0),
        Equation("alerts of unknown transactions = 0", entries.alerted.missing_in(entries.predicted), 0),
        Equation("raw messages without an outcome = 0", having("raw", without=OUTCOMES), 0),
        Equation("outcomes without a raw message = 0", having(*OUTCOMES, without=["raw"]), 0),
        Equation("raw messages with two outcomes = 0", records(*OUTCOMES) - having(*OUTCOMES), 0),
        Equation("doubled records = 0", entries.doubled("validated", "enriched", "alerts"), 0),
        Equation("transactions predicted twice = 0", entries.predicted.doubled(), 0),
    )
    return Ledger(entries.counts(), dict(sorted(entries.errors.items())), equations)
