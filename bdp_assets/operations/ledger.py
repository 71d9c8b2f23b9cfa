"""The ledger of the stream: each raw message has exactly one outcome, proved by reading the topics.

Every record names the raw message it came from in its `source` header, so the proof is by message, not by
count. It looks at the raw messages before the scoring group's committed offsets, and only at records that
came from them: exact while traffic flows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bdp_assets.clients.kafka import committed_offsets, stream_range, topic_ids, watermarks
from bdp_assets.contracts.topics import ALERTS, DLQ, ENRICHED, PREDICTIONS, RAW, VALIDATED
from bdp_assets.operations.ledger_reading import Cut, Entries
from bdp_assets.settings import Settings
from bdp_assets.streaming.groups import SCORING

Sources = NDArray[np.int64]


@dataclass(frozen=True)
class Equation:
    """`left` and `right` are numbers of messages that must be equal."""

    says: str
    left: int
    right: int

    @property
    def holds(self) -> bool:
        return self.left == self.right


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


def read_ledger(settings: Settings) -> Ledger:
    """Read all six topics of the scoring stream. Raises KafkaUnavailable, KafkaRefused, OffsetsGone."""
    names = [topic.name for topic in (RAW, VALIDATED, ENRICHED, PREDICTIONS, ALERTS, DLQ)]
    # The order matters: what a committed offset stands for is in the topics that are measured after it. Their
    # very ends: the last transaction's markers may still be on their way, and reading waits for them.
    committed = committed_offsets(settings, SCORING, [RAW.name])
    ranges = watermarks(settings, names, committed=False)
    raw = {number: low for (name, number), (low, _) in ranges.items() if name == RAW.name}
    cut = Cut(
        topic_id=topic_ids(settings, [RAW.name])[RAW.name],
        lows=raw,
        ends={number: committed.get((RAW.name, number), low) for number, low in raw.items()},
    )
    entries = Entries(cut)
    for batch in stream_range(settings, ranges):
        entries.add(batch)
    return balance(entries)


def balance(entries: Entries) -> Ledger:
    """The equations over what was read."""
    raw, validated, enriched, predictions, alerts = map(
        entries.of, ("raw", "validated", "enriched", "predictions", "alerts")
    )
    unclean, unenriched, unscored = map(
        entries.of, ("refused by validate", "refused by enrich", "refused by score")
    )
    outcomes = np.concatenate([predictions, unclean, unenriched, unscored])
    equations = (
        Equation("raw = validated + refused by validate", len(raw), len(validated) + len(unclean)),
        Equation("validated = enriched + refused by enrich", len(validated), len(enriched) + len(unenriched)),
        Equation(
            "enriched = predictions + refused by score", len(enriched), len(predictions) + len(unscored)
        ),
        Equation("alerts without a prediction = 0", len(np.setdiff1d(alerts, predictions)), 0),
        Equation("raw messages without an outcome = 0", len(np.setdiff1d(raw, outcomes)), 0),
        Equation("outcomes without a raw message = 0", len(np.setdiff1d(outcomes, raw)), 0),
        Equation("raw messages with two outcomes = 0", _doubled(outcomes), 0),
        Equation("doubled records = 0", sum(_doubled(s) for s in (validated, enriched, alerts)), 0),
        Equation("transactions predicted twice = 0", entries.doubled_ids(), 0),
    )
    return Ledger(entries.counts(), dict(sorted(Counter(entries.errors).items())), equations)


def _doubled(sources: Sources) -> int:
    return len(sources) - len(np.unique(sources))
